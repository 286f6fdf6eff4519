"""What every test of the window shares: one themed application, and a town of shipped nodes."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from pytestqt.wait_signal import SignalBlocker

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from fakes.calls import FakeCalls, FakeRecordings
from folkmoot.build import build
from folkmoot.domain.ids import ConversationId
from folkmoot.services.calls.service import CallsService
from folkmoot.services.values import FirstPage
from folkmoot.ui import bridge
from folkmoot.ui.application import Application
from folkmoot.ui.bridge import NodeHandle
from folkmoot.ui.early import EarlyInput
from folkmoot.ui.main.first import build_main
from folkmoot.ui.session import Session
from folkmoot.ui.shell import Shell
from folkmoot.ui.start.view import StartView
from folkmoot.ui.theme.theme import Mode, Theme
from ui.call_window import Caller
from ui.town import Person, Town
from ui.window import Open, Window

PATIENCE_MS = 20_000


@pytest.fixture(scope="session", autouse=True)
def _know_the_build() -> None:
    """The log reads it at the start of the program."""
    build()


@pytest.fixture(scope="session", autouse=True)
def _collect_in_this_thread() -> Iterator[None]:
    """As `folkmoot.ui.garbage` does: no thread of a node may delete what is Qt's."""
    gc.collect()
    gc.disable()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _leave_no_garbage() -> Iterator[None]:
    """What a test left in cycles goes before the next begins."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    """Arguments of the application object that pytest-qt makes."""
    return ["folkmoot-tests"]


@pytest.fixture(scope="session")
def qapp_cls() -> type[Application]:
    """The application object is the shipped one."""
    return Application


@pytest.fixture(scope="session", autouse=True)
def _close_with_patience() -> Iterator[None]:
    """A window that closes lets the last saves take two seconds: a busy machine takes longer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bridge, "CLOSE_S", 30.0)
        yield


class PatientBot(QtBot):
    """Where a test names no limit, one is meant that only a hang reaches: the five seconds of
    pytest-qt are less than a busy machine may stand still."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = PATIENCE_MS) -> None:
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE_MS, **how: Any) -> SignalBlocker:
        return super().waitSignal(signal, timeout=timeout, **how)

    def waitExposed(self, widget: Any, *, timeout: int = PATIENCE_MS) -> Any:
        return super().waitExposed(widget, timeout=timeout)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    """As pytest-qt makes it, with more patience."""
    return PatientBot(request)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """A light theme on the shared application."""
    return Theme(qapp, Mode.LIGHT)


def begin_window(
    qtbot: QtBot,
    theme: Theme,
    folder: Path,
    start: Callable[[], NodeHandle],
    *,
    name: str,
    first: FirstPage | None = None,
    early: Callable[[Shell], None] = lambda shell: None,
) -> Window:
    """What `folkmoot.ui.app.run` composes, in the application of the tests.

    `early` is what a person does between the first frame and what answers it.
    """
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    shell = Shell(theme)
    start_view = main_view = None
    if first is not None and first.teams:
        main_view = build_main(theme, first)
        shell.show_page(main_view)
    else:
        start_view = StartView(theme)
        start_view.welcome.name.setText(name)
        shell.show_page(start_view)
    qtbot.addWidget(shell)
    shell.show()
    kept = EarlyInput(shell.windowHandle())
    early(shell)
    session = Session(application, shell, theme, folder, first, start)
    session.begin(start_view, main_view)
    kept.give_back()
    window = Window(qtbot, shell, session)
    shell.activateWindow()
    return window


def end_session(window: Window) -> None:
    """Close a window and its node, as the program does when it ends; again is harmless."""
    if window.session.loop.is_closed():
        return
    window.shell.close()
    window.session.close()
    window.session.end_loop()


@pytest.fixture
def open_window(qtbot: QtBot, theme: Theme, town: Town) -> Iterator[Open]:
    """Opens the window of somebody of the town; `first` makes it begin with the main view,
    and without `loaded` it has had no answer of the node yet."""
    opened: list[Window] = []

    def make(
        person: Person,
        *,
        first: FirstPage | None = None,
        loaded: bool = True,
        early: Callable[[Shell], None] = lambda shell: None,
    ) -> Window:
        window = begin_window(
            qtbot, theme, person.folder, lambda: person, name=person.name, first=first, early=early
        )
        opened.append(window)
        if loaded:
            window.until(lambda: window.session.model.identity is not None)
        return window

    yield make
    for window in opened:
        end_session(window)
    QGuiApplication.clipboard().clear()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Where people with shipped nodes live."""
    town = Town(tmp_path)
    yield town
    town.close()


@pytest.fixture
def elin(town: Town) -> Person:
    """Who sits at the window."""
    return town.person("Elin Aas")


@pytest.fixture
def mara(town: Town) -> Person:
    """Somebody else."""
    return town.person("Mara Oduya")


@pytest.fixture
def team(elin: Person, mara: Person, qtbot: QtBot) -> ConversationId:
    """Elin's team with a channel more, and Mara in it."""
    team = elin.found("Harbour Studio")
    elin.do(lambda node: node.conversations.create_channel(team, "shipping"))
    mara.join(elin.invite(team))
    names = {"general", "shipping"}
    qtbot.waitUntil(lambda: names <= {c.name for c in mara.conversations()})
    return team


@pytest.fixture
def window(open_window: Open, elin: Person, team: ConversationId) -> Window:
    """Elin's main window, with #general open."""
    window = open_window(elin)
    window.until_open("#general")
    return window


@pytest.fixture
def caller(open_window: Open, elin: Person, mara: Person, team: ConversationId) -> Iterator[Caller]:
    """Elin's main window over a fake of her calls and recordings, with #general open."""
    real = elin.node.calls
    node = cast("Any", elin.node)
    kept = getattr(node, "recordings", None)
    recordings = node.recordings = FakeRecordings(elin.node.events.publish)
    calls = FakeCalls(elin.node.events.publish, elin.id, elin.name)
    elin.node.calls = cast("CallsService", calls)
    window = open_window(elin)
    window.until_open("#general")
    yield Caller(window, calls, elin, mara, recordings)
    end_session(window)
    if elin.runs:
        elin.node.calls = real
        node.recordings = kept
