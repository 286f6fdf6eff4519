"""What of the collected files goes into the bundle, and what `strip` may touch.

Names are those inside the bundle, with forward slashes. PyInstaller collects whatever a library
might want; what is named here was looked at: the self-test of the bundle shows that nothing is
missed, the table of sizes that nothing is forgotten.
"""

from __future__ import annotations

import re

EXCLUDED_MODULES = (
    *("tkinter", "turtle", "curses", "readline", "xmlrpc", "ftplib"),
    *("bz2", "_bz2", "lzma", "_lzma"),
    *("unittest", "pydoc", "doctest", "lib2to3", "test", "idlelib", "ensurepip"),
    *("setuptools", "pkg_resources", "distutils", "_distutils_hack", "pip", "wheel", "packaging"),
    *("numpy.testing", "numpy.f2py", "numpy.distutils", "pycparser", "IPython", "matplotlib"),
    *(f"sqlalchemy.dialects.{name}" for name in ("mysql", "oracle", "postgresql", "mssql")),
    *("sqlalchemy.testing", "PySide6.QtPdf", "PySide6.QtSql", "PySide6.QtWebEngineCore"),
    *("PySide6.QtQml", "PySide6.QtQuick", "PySide6.QtOpenGL", "PySide6.QtTest"),
)
"""Modules that nothing of ours imports; a library that could, does without."""

_DROPPED = re.compile(
    r"""
    # Qt Quick and QML only as far as the FFmpeg plug-in of Qt Multimedia is linked with them.
    Qt6?(Quick(?=Controls|Widgets|Test|3D|Layouts|Templates|Effects|Particles|Shapes|Dialogs)
        |QmlXmlListModel|QmlLocalStorage|LabsQml\w*|VirtualKeyboard|EglF[sS]\w*|Pdf|WebEngine|Sql|Test
        |Designer|Help|3D)
  | Qt/qml/ | PySide6/qml/
  | plugins/(egldeviceintegrations|generic|qmltooling|qmllint|sqldrivers|designer)/
  | plugins/(virtualkeyboard|position)/
  | platforms/libq(eglfs|linuxfb|vkkhrdisplay|vnc|minimalegl|minimal|wayland-egl-none)
  | platforminputcontexts/libqtvirtualkeyboard
  | platformthemes/libqgtk3
  | imageformats/(lib)?q(icns|tga|tiff|wbmp|pdf)
  | networkinformation/libqglib
    # Nearly all words are ours; of Qt's own those of a few languages.
  | PySide6/(Qt/)?translations/(?!qtbase_(de|es|fr|it|ja|pl|pt_BR|zh_CN)\.qm)
    # Of what an installed package says about itself its licence stays; `licences.py` packs those.
  | \.dist-info/
    # What only a compiler reads.
  | \.(pyi|h|hpp|pxd|pyx|c|cpp|a|lib|cmake|pc)$
  | (^|/)(tests?|testing)/
  | livekit/rtc/resources/jupyter-html
  | numpy/(random/lib|_core/_(multiarray|umath|rational|struct_ufunc|operand_flag)_tests)
    """,
    re.VERBOSE,
)

_FROM_THE_SYSTEM = re.compile(
    r"""
    # What Python itself is linked with: its version must fit.
    lib(python3|ssl|crypto|sqlite3|ffi|mpdec)
    # What Qt's xcb plug-in needs and a desktop without Qt programs does not have.
  | libxcb-(cursor|icccm|image|keysyms|render-util|util|xkb)\.so
  | libxkbcommon
    """,
    re.VERBOSE,
)
"""The only libraries taken from the Linux system on which the bundle is built. All others belong to
that on which it runs: they speak with its services, or its drivers are built against them (so the C
library, libstdc++, X11, GL, glib, D-Bus, PulseAudio). The packages declare them."""

_STRIPPED = re.compile(
    r"""
    # Python and what it is linked with.
    ^lib(python3|ssl|crypto|sqlite3|ffi|mpdec) | (^|/)python3\.\d+/lib-dynload/
  | ^PySide6/Qt/lib/libicu(i18n|uc)
    # Extension modules that come with their symbols: nothing but Python loads them.
  | ^(aiohttp|av|cryptography|frozenlist|multidict|nacl|propcache|pylibsrtp|sqlalchemy)/
  | ^(yarl|zeroconf)/
    """,
    re.VERBOSE,
)
"""`strip` corrupts Qt's FFmpeg libraries and may corrupt others whose headers were patched after
they were linked, as those in `*.libs` folders of wheels were; they are nearly free of symbols. A
test loads every library of the bundle."""


def is_kept(name: str, kind: str, *, linux: bool) -> bool:
    """Tell whether a file goes into the bundle; `kind`: PyInstaller's word, such as ``BINARY``."""
    if _DROPPED.search(name):
        return False
    from_the_system = linux and kind == "BINARY" and "/" not in name
    return not from_the_system or bool(_FROM_THE_SYSTEM.match(name))


def is_stripped(name: str) -> bool:
    """Tell whether `strip` may be run on the file `name`."""
    return ".so" in name and bool(_STRIPPED.search(name))
