"""Qt's own words: in the language of the system, and the window stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale, Qt, QTranslator
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from folkmoot.ui.language import translate_qt


@pytest.fixture
def speak(qapp: QApplication) -> Iterator[None]:
    """Whatever is spoken, afterwards it is English again."""
    yield
    for translator in qapp.findChildren(QTranslator):
        qapp.removeTranslator(translator)
        translator.deleteLater()


def _menu(qtbot: QtBot) -> list[str]:
    field = QLineEdit()
    qtbot.addWidget(field)
    menu = field.createStandardContextMenu()
    return [action.text().replace("&", "").split("\t")[0] for action in menu.actions()]


@pytest.mark.usefixtures("speak")
def test_the_menu_of_a_text_field_speaks_the_language_of_the_system(
    qapp: QApplication, qtbot: QtBot
) -> None:
    assert "Paste" in _menu(qtbot)
    assert translate_qt(qapp, QLocale("de")) is not None
    assert "Einfügen" in _menu(qtbot)


@pytest.mark.usefixtures("speak")
@pytest.mark.parametrize("language", ["ar", "he"])
def test_a_language_from_the_right_does_not_turn_english_around(
    qapp: QApplication, language: str
) -> None:
    assert translate_qt(qapp, QLocale(language)) is not None
    assert qapp.layoutDirection() is Qt.LayoutDirection.LeftToRight


@pytest.mark.usefixtures("speak")
def test_a_language_that_qt_does_not_speak_leaves_english(qapp: QApplication, qtbot: QtBot) -> None:
    assert translate_qt(qapp, QLocale("mi")) is None
    assert "Paste" in _menu(qtbot)
