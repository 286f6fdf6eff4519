; The installer for Windows: for one account, without an administrator. `make_installer.py` compiles it and says:
;   VERSION, NUMBERS (1.2.3.0), BUNDLE (folder), FILES (what `uninstall` takes away), ICON, LICENSE, OUT, KB
;   and, where the compiler has it and tests want it, TARGET (amd64-unicode); SIGN, a command that
;   signs the file it is given.
; Silent: `folkmoot-…-setup.exe /S [/FIREWALL] [/D=FOLDER]`, `uninstall.exe /S`. Status 0 done, 2 nothing was
; changed because Folkmoot runs and did not close, else what NSIS says.
Unicode true
!ifdef TARGET
  Target "${TARGET}"
!endif
!ifdef SIGN
  !uninstfinalize '${SIGN} "%1"' = 0
!endif
!include MUI2.nsh
!include LogicLib.nsh
!include FileFunc.nsh
!include Sections.nsh

!define APP "Software\Folkmoot"
!define SCHEME "Software\Classes\folkmoot"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Folkmoot"
!define RULE "Folkmoot"
; Where `folkmoot` keeps keys and messages; the uninstaller never touches it.
!define PROFILE "$LOCALAPPDATA\folkmoot"
!define CLOSE_TRIES 40 ; of a quarter of a second
!define STATUS_RUNS 2

Name "Folkmoot"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\Folkmoot"
InstallDirRegKey HKCU "${APP}" "InstallDir"
RequestExecutionLevel user
SetCompressor /SOLID lzma
SetDatablockOptimize on
CRCCheck force
ManifestDPIAware true
BrandingText "Folkmoot ${VERSION}"

VIProductVersion "${NUMBERS}"
VIFileVersion "${NUMBERS}"
VIAddVersionKey "ProductName" "Folkmoot"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "Installer of Folkmoot"
VIAddVersionKey "CompanyName" "The Folkmoot authors"
VIAddVersionKey "LegalCopyright" "GPL-3.0-or-later"

Var Hidden ; 1: take the files away, leave entries and rule, because a new version follows

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_COMPONENTSPAGE_NODESC
!define MUI_FINISHPAGE_RUN "$INSTDIR\folkmoot.exe"
!insertmacro MUI_PAGE_LICENSE "${LICENSE}"
!insertmacro MUI_PAGE_COMPONENTS
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!define MUI_FINISHPAGE_TEXT "Folkmoot is gone from this account.$\r$\n$\r$\n\
Your keys, messages and files were left where they are:$\r$\n${PROFILE}$\r$\n$\r$\n\
If you install Folkmoot again it goes on with them. Whoever deletes that folder deletes the identity with \
which you are known in your teams."
!insertmacro MUI_UNPAGE_FINISH
!insertmacro MUI_LANGUAGE "English"

; --- is it running, and will it close

; A program that runs cannot be opened for writing. Leaves $0 empty if it may be replaced.
!macro Running un
Function ${un}Running
  StrCpy $0 ""
  ${If} ${FileExists} "$INSTDIR\folkmoot.exe"
    ClearErrors
    FileOpen $1 "$INSTDIR\folkmoot.exe" a
    ${If} ${Errors}
      StrCpy $0 "yes"
    ${Else}
      FileClose $1
    ${EndIf}
  ${EndIf}
FunctionEnd

; Closes, as the cross at their corner does, all windows of the program in this folder and of no other.
Function ${un}CloseWindows
  System::Call 'kernel32::GetLongPathNameW(w "$INSTDIR\folkmoot.exe", w .r6, i ${NSIS_MAX_STRLEN}) i .r5'
  StrCpy $0 0
  ${Do}
    FindWindow $0 "" "" 0 $0
    ${If} $0 == 0
      ${Break}
    ${EndIf}
    System::Call 'user32::IsWindowVisible(p r0) i .r1'
    ${If} $1 == 0
      ${Continue}
    ${EndIf}
    System::Call 'user32::GetWindowThreadProcessId(p r0, *i .r1)'
    System::Call 'kernel32::OpenProcess(i 0x1000, i 0, i r1) p .r2' ; PROCESS_QUERY_LIMITED_INFORMATION
    ${If} $2 != 0
      System::Call 'kernel32::QueryFullProcessImageNameW(p r2, i 0, w .r3, *i ${NSIS_MAX_STRLEN}) i .r4'
      System::Call 'kernel32::CloseHandle(p r2)'
      ${If} $4 != 0
      ${AndIf} $3 == $6
        System::Call 'user32::PostMessageW(p r0, i ${WM_CLOSE}, p 0, p 0)'
      ${EndIf}
    ${EndIf}
  ${Loop}
FunctionEnd

; Returns once nothing runs from this folder; else ends the installer, and nothing was changed.
Function ${un}LetItEnd
  ${Do}
    Call ${un}Running
    ${If} $0 == ""
      Return
    ${EndIf}
    ; A silent installer has nobody to ask: whoever started it wants the new version.
    ${IfNot} ${Silent}
      MessageBox MB_OKCANCEL|MB_ICONEXCLAMATION "Folkmoot is running. It has to close for this.$\r$\n$\r$\n\
OK closes it as its own cross does: a call ends, what you wrote is kept." IDOK close
      SetErrorLevel ${STATUS_RUNS}
      Quit
      close:
    ${EndIf}
    ${For} $7 1 ${CLOSE_TRIES}
      Call ${un}CloseWindows
      Sleep 250
      Call ${un}Running
      ${If} $0 == ""
        Return
      ${EndIf}
    ${Next}
    ${If} ${Silent}
      SetErrorLevel ${STATUS_RUNS}
      Quit
    ${EndIf}
  ${Loop}
FunctionEnd
!macroend
!insertmacro Running ""
!insertmacro Running "un."

; --- the firewall: the only thing that needs an administrator, so only on request

; $0: parameters of cmd. Windows asks for an administrator; a refusal sets the error flag.
!macro Elevated un
Function ${un}Elevated
  ClearErrors
  ExecShellWait "runas" "$SYSDIR\cmd.exe" '$0' SW_HIDE
FunctionEnd
!macroend
!insertmacro Elevated ""
!insertmacro Elevated "un."

!define NETSH '"$SYSDIR\netsh.exe" advfirewall firewall'
!define MINE 'name="${RULE}" dir=in program="$INSTDIR\folkmoot.exe"'

Section "Folkmoot" Program
  SectionIn RO
  Call LetItEnd
  ${If} ${FileExists} "$INSTDIR\uninstall.exe"
    ; The version before knows best which files are its own.
    ClearErrors
    ExecWait '"$INSTDIR\uninstall.exe" /S /UPGRADE _?=$INSTDIR' $0
    ${If} ${Errors}
    ${OrIf} $0 != 0
      SetErrorLevel 2
      Abort "The version before could not be taken away. It was left as it is; please try again."
    ${EndIf}
  ${EndIf}
  SetOutPath "$INSTDIR"
  File /r "${BUNDLE}\*"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\Folkmoot.lnk" "$INSTDIR\folkmoot.exe" "" "" "" SW_SHOWNORMAL "" \
    "Team chat from computer to computer"
  WriteRegStr HKCU "${APP}" "InstallDir" "$INSTDIR"

  WriteRegStr HKCU "${SCHEME}" "" "URL:Folkmoot"
  WriteRegStr HKCU "${SCHEME}" "URL Protocol" ""
  WriteRegStr HKCU "${SCHEME}\DefaultIcon" "" '"$INSTDIR\folkmoot.exe",0'
  WriteRegStr HKCU "${SCHEME}\shell\open\command" "" '"$INSTDIR\folkmoot.exe" "%1"'
  System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)' ; SHCNE_ASSOCCHANGED

  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "Folkmoot"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" '"$INSTDIR\folkmoot.exe",0'
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "The Folkmoot authors"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegStr HKCU "${UNINSTALL}" "Comments" "Keys and messages stay in ${PROFILE}"
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" ${KB}
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
SectionEnd

; Without it Windows asks at the first start, and who may not answer there is reached less well.
Section /o "Let others on my network reach this computer (asks for an administrator)" Firewall
  StrCpy $0 '/d /s /c "${NETSH} delete rule ${MINE} & ${NETSH} add rule ${MINE} action=allow profile=private,domain"'
  Call Elevated
  ${If} ${Errors}
    DetailPrint "No rule for the firewall was made, because no administrator agreed. Folkmoot works all the same; \
others on your network may not reach this computer straight."
  ${Else}
    WriteRegDWORD HKCU "${APP}" "Firewall" 1
  ${EndIf}
SectionEnd

Function .onInit
  SetShellVarContext current
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/FIREWALL" $1
  ${IfNot} ${Errors}
    !insertmacro SelectSection ${Firewall}
  ${EndIf}
FunctionEnd

Section "Uninstall"
  Call un.LetItEnd
  !include "${FILES}"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR" ; only if nothing of somebody else's is in it
  ${If} $Hidden == 1
    Return
  ${EndIf}
  Delete "$SMPROGRAMS\Folkmoot.lnk"
  ; Another copy, in another folder, may have taken the links over.
  ReadRegStr $0 HKCU "${SCHEME}\shell\open\command" ""
  ${If} $0 == '"$INSTDIR\folkmoot.exe" "%1"'
    DeleteRegKey HKCU "${SCHEME}"
    System::Call 'shell32::SHChangeNotify(i 0x08000000, i 0, p 0, p 0)'
  ${EndIf}
  ReadRegDWORD $0 HKCU "${APP}" "Firewall"
  ${If} $0 == 1
    StrCpy $0 '/d /s /c "${NETSH} delete rule ${MINE}"'
    Call un.Elevated
    ${If} ${Errors}
      DetailPrint "The rule “${RULE}” stays in Windows Defender Firewall, because no administrator agreed. It allows \
a program that is no longer there."
    ${EndIf}
  ${EndIf}
  DeleteRegKey HKCU "${APP}"
  DeleteRegKey HKCU "${UNINSTALL}"
  DetailPrint "Your keys, messages and files are left in ${PROFILE}."
SectionEnd

Function un.onInit
  SetShellVarContext current
  StrCpy $Hidden 0
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/UPGRADE" $1
  ${IfNot} ${Errors}
    StrCpy $Hidden 1
  ${EndIf}
FunctionEnd
