"""The controls: names for a screen reader, targets, keyboard focus, the emoji picker."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from folkmoot.ui.theme.theme import Mode, Theme
from folkmoot.ui.widgets.buttons import MIN_HIT, Button, ButtonKind, IconButton
from folkmoot.ui.widgets.choice import ChoiceBox
from folkmoot.ui.widgets.emoji import QUICK_REACTIONS, EmojiList
from folkmoot.ui.widgets.emoji_picker import open_emoji_picker
from folkmoot.ui.widgets.fields import Switch, TextField
from folkmoot.ui.widgets.focus import FocusRing
from folkmoot.ui.widgets.surfaces import Badge, Banner, Toast
from folkmoot.ui.widgets.text import Text


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    """An open, active window of 600 x 500."""
    made = QWidget()
    QHBoxLayout(made)
    made.resize(600, 500)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    made.activateWindow()
    return made


def _add(window: QWidget, widget: QWidget) -> None:
    layout = window.layout()
    assert layout is not None
    layout.addWidget(widget)
    widget.show()


def _ring(window: QWidget) -> list[FocusRing]:
    return [ring for ring in window.findChildren(FocusRing) if ring.isVisible()]


def test_the_focus_ring_shows_after_tab_and_not_after_a_click(
    window: QWidget, theme: Theme, qtbot: QtBot
) -> None:
    first, second = Button("One", theme), Button("Two", theme)
    _add(window, first)
    _add(window, second)
    QTest.mouseClick(first, Qt.MouseButton.LeftButton)
    assert _ring(window) == []
    first.setFocus(Qt.FocusReason.MouseFocusReason)
    QTest.keyClick(first, Qt.Key.Key_Tab)
    assert second.hasFocus()
    (ring,) = _ring(window)
    assert ring.geometry() == second.geometry().adjusted(-3, -3, 3, 3)


def test_an_icon_button_has_a_name_and_a_target_of_28_pixels(theme: Theme, qtbot: QtBot) -> None:
    button = IconButton("x", "Close", theme, side=16)
    qtbot.addWidget(button)
    assert button.accessibleName() == button.toolTip() == "Close"
    assert min(button.width(), button.height()) >= MIN_HIT


def test_a_click_on_the_words_of_a_switch_turns_it_on(
    window: QWidget, theme: Theme, qtbot: QtBot
) -> None:
    switch = Switch("Visible", "Computers on this network see this team's name.", theme)
    _add(window, switch)
    QTest.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(switch.width() - 20, 10))
    assert switch.isChecked()
    assert switch.accessibleDescription().startswith("Computers on this network")


def test_words_with_markup_are_shown_as_they_are(theme: Theme, qtbot: QtBot) -> None:
    label = Text("<b>not bold</b>", theme)
    qtbot.addWidget(label)
    assert label.textFormat() == Qt.TextFormat.PlainText


def test_a_field_has_a_name_and_a_limit(theme: Theme, qtbot: QtBot) -> None:
    field = TextField("Your name", theme, max_length=5)
    qtbot.addWidget(field)
    QTest.keyClicks(field, "abcdefgh")
    assert (field.text(), field.accessibleName()) == ("abcde", "Your name")


def test_a_badge_hides_at_nought_and_stops_at_99(theme: Theme, qtbot: QtBot) -> None:
    badge = Badge(theme)
    qtbot.addWidget(badge)
    badge.set_count(0)
    assert badge.isHidden()
    badge.set_count(7)
    narrow = badge.sizeHint().width()
    badge.set_count(120)
    assert not badge.isHidden()
    assert badge.sizeHint().width() > narrow


def test_a_banner_offers_its_act_and_can_be_closed(
    window: QWidget, theme: Theme, qtbot: QtBot
) -> None:
    banner = Banner("The port is taken.", theme, act="Choose another")
    _add(window, banner)
    acts = banner.findChildren(Button)
    with qtbot.waitSignal(banner.acted, timeout=10_000):
        QTest.mouseClick(acts[0], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(banner.closed, timeout=10_000):
        QTest.mouseClick(banner.findChildren(IconButton)[0], Qt.MouseButton.LeftButton)
    assert banner.isHidden()


def test_a_toast_lies_inside_its_host_and_leaves_by_itself(
    window: QWidget, theme: Theme, qtbot: QtBot
) -> None:
    toast = Toast("Copied.", theme, window, stay_ms=20)
    assert window.rect().contains(toast.geometry())
    with qtbot.waitSignal(toast.destroyed, timeout=10_000):
        pass


def test_the_emoji_list_knows_the_quick_set_and_no_shortcode_twice() -> None:
    emoji = EmojiList()
    codes = [code for e in emoji.all for code in e.shortcodes]
    assert {e.text for e in emoji.all} >= set(QUICK_REACTIONS)
    assert len(codes) == len(set(codes))
    assert len(emoji.all) >= 150


@pytest.mark.parametrize(
    ("query", "best"), [("tada", "🎉"), (":heart:", "❤️"), ("lau", "😆"), ("hooray", "🙌")]
)
def test_emoji_are_found_by_shortcode_name_and_meaning(query: str, best: str) -> None:
    assert EmojiList().search(query)[0].text == best


def test_an_emoji_is_chosen_by_keyboard_alone_and_the_focus_comes_back(
    window: QWidget, theme: Theme, qtbot: QtBot
) -> None:
    before = TextField("Message", theme)
    _add(window, before)
    before.setFocus()
    popover, picker = open_emoji_picker(window, theme, EmojiList(), QRect(50, 50, 20, 20))
    QTest.keyClicks(picker.search, "heart")
    QTest.keyClick(picker.search, Qt.Key.Key_Down)
    QTest.keyClick(picker.search, Qt.Key.Key_Up)
    chosen: list[str] = []
    picker.chosen.connect(chosen.append)
    with qtbot.waitSignal(popover.closed, timeout=10_000):
        QTest.keyClick(picker.search, Qt.Key.Key_Return)
    assert chosen == ["❤️"]
    assert before.hasFocus()


def test_a_click_outside_closes_the_picker_and_chooses_nothing(
    window: QWidget, theme: Theme, qtbot: QtBot
) -> None:
    popover, picker = open_emoji_picker(window, theme, EmojiList(), QRect(5, 5, 20, 20))
    chosen: list[str] = []
    picker.chosen.connect(chosen.append)
    with qtbot.waitSignal(popover.closed, timeout=10_000):
        QTest.mouseClick(popover, Qt.MouseButton.LeftButton, pos=QPoint(590, 490))
    assert chosen == []


def test_button_kinds_differ_to_the_eye(theme: Theme, qtbot: QtBot) -> None:
    pictures = set()
    for kind in ButtonKind:
        button = Button("Go", theme, kind)
        qtbot.addWidget(button)
        button.resize(80, 32)
        image = button.grab().toImage()
        pictures.add((image.pixel(40, 3), image.pixel(3, 16), image.pixel(1, 16)))
    assert len(pictures) == len(ButtonKind)


def test_a_theme_switch_after_a_banner_is_gone_is_no_matter(theme: Theme, qtbot: QtBot) -> None:
    banner = Banner("Gone soon.", theme)
    with qtbot.waitSignal(banner.destroyed, timeout=10_000):
        banner.deleteLater()
    theme.set_mode(Mode.DARK)
    assert theme.is_dark


def test_a_choice_is_made_by_keys_and_not_by_scrolling_past(
    window: QWidget, theme: Theme, qtbot: QtBot
) -> None:
    box = ChoiceBox("Speaker", theme)
    for words in ("As the system", "Headphones", "A speaker with a name that is far too long"):
        box.addItem(words, words)
    box.setMaximumWidth(200)
    _add(window, box)
    assert box.accessibleName() == "Speaker"
    box.setFocus(Qt.FocusReason.TabFocusReason)
    assert len(_ring(window)) == 1
    at = box.rect().center()
    wheel = QWheelEvent(
        QPointF(at),
        QPointF(box.mapToGlobal(at)),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(box, wheel)
    assert box.currentIndex() == 0
    with qtbot.waitSignal(box.activated):
        QTest.keyClick(box, Qt.Key.Key_Down)
    assert box.currentData() == "Headphones"


def test_a_choice_opens_by_key_and_takes_a_click(
    window: QWidget, theme: Theme, qtbot: QtBot
) -> None:
    box = ChoiceBox("Speaker", theme)
    box.addItems(["As the system", "Headphones"])
    _add(window, box)
    QTest.keyClick(box, Qt.Key.Key_Space)
    rows = box.view()
    qtbot.waitUntil(rows.isVisible)
    place = rows.visualRect(rows.model().index(1, 0)).center()
    with qtbot.waitSignal(box.activated):
        QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert box.currentText() == "Headphones"
