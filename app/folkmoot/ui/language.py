"""Qt’s own words in the language of the system: menus of text fields, names of keys, dialogs.

Reads one file, so it is called after the first frame. Refuses to turn the window around where that
language is written from the right: Folkmoot’s own words are English, from the left.
"""

from __future__ import annotations

from PySide6.QtCore import QLibraryInfo, QLocale, Qt, QTranslator
from PySide6.QtWidgets import QApplication


def translate_qt(application: QApplication, locale: QLocale | None = None) -> QTranslator | None:
    """Have Qt speak `locale` (None: that of the system). None: it has no words of that language,
    and goes on in English."""
    application.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    translator = QTranslator(application)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if not translator.load(locale or QLocale.system(), "qtbase", "_", folder):
        return None
    application.installTranslator(translator)
    return translator
