"""What the window says of the program itself, and of newer versions of it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QApplication

from builders.feeds import ADDRESS, URL, feed
from folkmoot import __version__
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.updates import Release
from folkmoot.services.update_values import Updates
from folkmoot.ui.about.card import MAX_CHARACTERS, MAX_LINES, UpdateCard, short
from folkmoot.ui.about.dialog import AboutDialog, LicencesDialog
from folkmoot.ui.about.words import update_words
from folkmoot.ui.dialogs.link import LinkDialog
from folkmoot.ui.dialogs.settings import SettingsDialog
from ui.town import Person
from ui.window import Window, dialog, words_in

NOW_MS = int(time.time() * 1000)


def open_about(window: Window) -> AboutDialog:
    """From the settings, as a person goes there."""
    window.click(window.main.view.side_bar.settings)
    window.until(dialog)
    settings = dialog()
    assert isinstance(settings, SettingsDialog)
    window.click(settings.about)
    window.until(lambda: isinstance(dialog(), AboutDialog))
    form = dialog()
    assert isinstance(form, AboutDialog)
    return form


def turn_on(window: Window, elin: Person, *versions: str) -> AboutDialog:
    """Have a feed with these versions, and ask it."""
    elin.feeds.say(feed(*versions, now_ms=NOW_MS))
    form = open_about(window)
    window.click(form.switch)
    window.until(form.address.hasFocus)
    window.type(ADDRESS)
    window.press(Qt.Key.Key_Return)
    window.until(lambda: form.look.isVisible() and form.look.isEnabled())
    return form


def card(window: Window) -> UpdateCard | None:
    return window.main.door.cards.update_card


def test_about_says_what_runs_and_where_the_profile_is(
    window: Window, elin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = open_about(window)
    assert f"Version {__version__}, from source" in words_in(form)
    assert "General Public License" in words_in(form)
    assert form.folder.text() == str(elin.folder)
    assert form.folder.isReadOnly()
    form.folder.setFocus()
    window.press(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    window.press(Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == str(elin.folder)
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    window.click(form.open_folder)
    assert [Path(url.toLocalFile()) for url in opened] == [elin.folder]


def test_what_is_copied_for_support_names_no_person_and_no_folder(
    window: Window, elin: Person
) -> None:
    form = open_about(window)
    window.click(form.copy)
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith(f"Folkmoot: {__version__}, from source\nInstalled as: ")
    for word in ("Elin", "computer", str(elin.folder), str(Path.home()), elin.id.hex()):
        assert word not in copied
    assert {"System", "Qt", "Python"} <= {line.partition(":")[0] for line in copied.splitlines()}
    assert form.copy.text() == "Copied"


def test_the_licences_are_shown(window: Window) -> None:
    window.click(open_about(window).licences)
    window.until(lambda: isinstance(dialog(), LicencesDialog))
    form = dialog()
    assert isinstance(form, LicencesDialog)
    text = form.text.toPlainText()
    assert "GNU GENERAL PUBLIC LICENSE" in text
    for name in ("LICENSE-Inter.txt", "LICENSE-JetBrainsMono.txt", "LICENSE-BIP39.txt"):
        assert name in text
    window.press(Qt.Key.Key_Escape)
    window.until(lambda: isinstance(QApplication.activeModalWidget(), AboutDialog))


def test_nothing_is_asked_before_it_is_turned_on(window: Window, elin: Person) -> None:
    form = open_about(window)
    assert not form.switch.isChecked()
    assert not form.address.isVisible()
    window.click(form.switch)
    window.until(form.address.isVisible)
    assert "with its key" in form.state.text()
    assert not form.use.isEnabled()
    window.press(Qt.Key.Key_Return)
    window.type("https://example.org/f")
    window.click(form.use)
    window.until(lambda: "no key" in form.state.text())
    assert elin.feeds.asked == []
    assert not elin.look(lambda node: node.updates.state().on)


def test_a_new_version_is_told_of_shown_and_dismissed(window: Window, elin: Person) -> None:
    form = turn_on(window, elin, "0.2.0", "0.1")
    assert "Folkmoot 0.2.0 is out, looked today" in form.state.text()
    shown = card(window)
    assert shown is not None
    window.click(form.notes)
    window.until(lambda: isinstance(dialog(), LinkDialog))
    link = dialog()
    assert isinstance(link, LinkDialog)
    assert link.shown.toPlainText() == f"{URL}/0.2.0"
    window.press(Qt.Key.Key_Escape)
    window.until(shown.isVisible)
    assert "Folkmoot 0.2.0 is out What is new in 0.2.0." in words_in(shown)
    window.click(shown.notes)
    window.until(lambda: isinstance(dialog(), LinkDialog))
    window.press(Qt.Key.Key_Escape)
    window.until(lambda: QApplication.activeModalWidget() is None)
    window.shell.activateWindow()
    shown.close_button.setFocus()
    window.until(shown.close_button.hasFocus)
    window.press(Qt.Key.Key_Space)
    window.until(lambda: card(window) is None)
    window.until(window.main.view.conversation.composer.editor.hasFocus)
    assert elin.look(lambda node: node.updates.state().dismissed)
    elin.feeds.say(feed("0.3.0", serial=2, now_ms=NOW_MS))
    elin.look(lambda node: node.updates.look())
    window.until(lambda: card(window) is not None)
    assert "0.3.0" in window.notices()


def test_turned_off_it_says_no_more_and_keeps_the_address(window: Window, elin: Person) -> None:
    form = turn_on(window, elin, "0.2.0")
    assert card(window) is not None
    asked = len(elin.feeds.asked)
    window.click(form.switch)
    window.until(lambda: card(window) is None)
    assert not form.address.isVisible()
    assert not form.state.isVisible()
    assert len(elin.feeds.asked) == asked
    window.click(form.switch)
    window.until(lambda: len(elin.feeds.asked) == asked + 1)
    window.until(lambda: card(window) is not None)
    assert form.address.text() == ADDRESS


def test_why_it_could_not_look_is_said_and_it_can_be_tried_again(
    window: Window, elin: Person
) -> None:
    form = turn_on(window, elin, "0.1")
    assert form.state.text().startswith("Up to date, looked today")
    elin.feeds.fault = EnvironmentFault("unreachable", "example.org does not answer.", "Wait.")
    window.click(form.look)
    window.until(lambda: form.state.text() == "example.org does not answer. Wait.")
    elin.feeds.fault = None
    window.until(form.look.isEnabled)
    window.click(form.look)
    window.until(lambda: form.state.text().startswith("Up to date"))


def test_what_is_being_typed_stays_when_an_answer_comes(window: Window, elin: Person) -> None:
    form = turn_on(window, elin, "0.1")
    form.address.setFocus()
    window.press(Qt.Key.Key_End)
    window.type("x")
    window.until(form.use.isVisible)
    elin.feeds.say(feed("0.2.0", serial=2, now_ms=NOW_MS))
    elin.look(lambda node: node.updates.look())
    window.until(lambda: card(window) is not None)
    assert form.address.text() == f"{ADDRESS}x"
    assert form.use.isVisible()


@pytest.mark.parametrize(
    ("updates", "words", "bad"),
    [
        (Updates(address=ADDRESS, problem="No."), "", False),
        (Updates(on=True, looking=True, problem="No."), "Looking…", False),
        (Updates(on=True, problem="No.", hint="Wait."), "No. Wait.", True),
        (Updates(on=True), "Not looked yet; it looks a few minutes after the start.", False),
    ],
)
def test_each_state_has_its_words(updates: Updates, words: str, bad: bool) -> None:
    assert update_words(updates, NOW_MS) == (words, bad)


def test_a_look_of_another_day_is_dated() -> None:
    said, _ = update_words(Updates(on=True, looked_ms=NOW_MS - 3 * 86_400_000), NOW_MS)
    assert said.startswith("Up to date, looked ")
    assert "today" not in said


def test_a_long_summary_is_cut_and_markup_is_words() -> None:
    assert short("One.\n\nTwo.") == "One.\nTwo."
    assert short("\n".join("abcdefg")).endswith("d …")
    assert len(short("\n".join("abcdefg")).splitlines()) == MAX_LINES
    assert len(short("a" * 1000)) == MAX_CHARACTERS + 2


def test_the_words_of_a_feed_are_plain_text(window: Window, elin: Person) -> None:
    made = feed("0.2.0", now_ms=NOW_MS)
    wicked = "<img src=file:///etc/passwd><b>bold</b>"
    elin.feeds.say(
        replace(made, releases=(Release("0.2.0", "2026-11-26", wicked, "https://example.org/"),))
    )
    elin.do(lambda node: node.updates.turn_on(ADDRESS))
    window.until(lambda: card(window) is not None)
    assert wicked in window.notices()
