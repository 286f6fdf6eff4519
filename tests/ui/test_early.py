"""No click and no key is lost between the first frame and what answers it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from folkmoot.ui.early import KEPT_LIMIT, EarlyInput
from folkmoot.ui.shell import Shell
from folkmoot.ui.start.view import StartView
from folkmoot.ui.theme.theme import Theme


def _opened(qtbot: QtBot, theme: Theme) -> tuple[Shell, StartView]:
    shell, start = Shell(theme), StartView(theme)
    shell.show_page(start)
    qtbot.addWidget(shell)
    shell.show()
    qtbot.waitExposed(shell)
    shell.activateWindow()
    qtbot.waitUntil(lambda: shell.isActiveWindow())
    start.welcome.name.setFocus()
    return shell, start


def test_a_click_before_anybody_listens_is_done_when_somebody_does(
    qtbot: QtBot, theme: Theme
) -> None:
    shell, start = _opened(qtbot, theme)
    early = EarlyInput(shell.windowHandle())
    button = start.welcome.start
    place = button.mapTo(shell, button.rect().center())
    QTest.mouseClick(shell.windowHandle(), Qt.MouseButton.LeftButton, pos=QPoint(place))
    with qtbot.waitSignal(start.welcome.started, timeout=10_000):
        early.give_back()


def test_keys_typed_early_arrive_in_their_order(qtbot: QtBot, theme: Theme) -> None:
    shell, start = _opened(qtbot, theme)
    early = EarlyInput(shell.windowHandle())
    for key in (Qt.Key.Key_E, Qt.Key.Key_L, Qt.Key.Key_I, Qt.Key.Key_N):
        QTest.keyClick(shell.windowHandle(), key)
    assert start.welcome.name.text() == ""
    early.give_back()
    QTest.keyClick(shell.windowHandle(), Qt.Key.Key_1)
    assert start.welcome.name.text() == "elin1"


def test_what_is_kept_is_bounded(qtbot: QtBot, theme: Theme) -> None:
    shell, start = _opened(qtbot, theme)
    early = EarlyInput(shell.windowHandle())
    for _ in range(KEPT_LIMIT):
        QTest.keyClick(shell.windowHandle(), Qt.Key.Key_A)
    assert start.welcome.name.text(), "what is too much goes straight to the window"
    early.give_back()
