; A program for tests: appends the line with which it was started to said.txt beside it.
Unicode true
Target amd64-unicode
RequestExecutionLevel user
SilentInstall silent
CRCCheck off
OutFile "${OUT}"
Section
  FileOpen $0 "$EXEDIR\said.txt" a
  FileSeek $0 0 END
  FileWrite $0 "$CMDLINE$\r$\n"
  FileClose $0
SectionEnd
