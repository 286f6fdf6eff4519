"""What begins after the first frame: the window's loop for coroutines, the node, the presenters.

Composes and ends them; decides only which page is in front.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import qasync  # type: ignore[import-untyped]
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ConversationId
from folkmoot.services.events import AskAnswered
from folkmoot.services.values import FirstPage
from folkmoot.ui.bridge import Bridge, NodeHandle
from folkmoot.ui.connections.desk import Connections
from folkmoot.ui.facade import Node
from folkmoot.ui.fault import fault_page
from folkmoot.ui.feed import Feed
from folkmoot.ui.main.presenter import MainPresenter
from folkmoot.ui.main.view import MainView
from folkmoot.ui.model import WindowModel
from folkmoot.ui.opening import Opening
from folkmoot.ui.shell import Shell
from folkmoot.ui.start.presenter import StartPresenter
from folkmoot.ui.start.view import StartView
from folkmoot.ui.theme.icons import app_icon
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.emoji import EmojiList


class Session(QObject):
    """The window with its node, from the first frame until it closes."""

    def __init__(
        self,
        application: QApplication,
        shell: Shell,
        theme: Theme,
        profile: Path,
        first: FirstPage | None,
        start: Callable[[], NodeHandle],
    ) -> None:
        super().__init__()
        self._shell = shell
        self._theme = theme
        self._profile = profile
        self.model = WindowModel()
        if first is not None:
            self.model.take_first(first)
        self._first = first
        theme.read_icons()
        application.setWindowIcon(app_icon())
        self._emoji = EmojiList()
        self.loop = qasync.QEventLoop(application, already_running=True)
        asyncio.set_event_loop(self.loop)
        self.bridge = Bridge(start(), self.loop)
        self.bridge.failed.connect(_report)
        self.feed = Feed(self.bridge, self.model)
        self.feed.ask_answered.connect(self._took_answer)
        self.feed.reloaded.connect(self._recovered)
        self.connections = Connections(shell, theme, self.model, self.bridge)
        shell.closing.connect(self.connections.close)
        self._opening = Opening(shell, theme, self.model)
        self._opening.invited.connect(self._invite)
        self._opening.agreed.connect(self._follow)
        self._opening.team_wanted.connect(lambda team: self._enter(ConversationId(team)))
        self._behind_fault: QWidget | None = None
        self._loaded = False
        self.start: StartPresenter | None = None
        self.main: MainPresenter | None = None
        shell.closing.connect(self._save)
        shell.activated.connect(self._activated)

    def begin(self, start_view: StartView | None, main_view: MainView | None) -> None:
        """Take over what is on the screen already."""
        if main_view is not None:
            self._begin_main(main_view)
        else:
            self._begin_start(start_view)
            assert self.start is not None
            self.start.open()
        self.bridge.run(self._load(), "ui: first question")

    def open_link(self, link: str) -> None:
        """Show what a link says: on the start screen at once, over a team when the node told which
        teams there are."""
        self._opening.take(link)
        if self._loaded or self._is_start_shown():
            self._opening.show(on_start=self._is_start_shown())

    def close(self) -> None:
        """Stop the node. Blocks for a moment; the window is gone by now."""
        if self.start is not None:
            self.start.leave()
        self.bridge.close()
        asyncio.events._set_running_loop(None)

    def end_loop(self) -> None:
        """Let what was cancelled end and close the window's loop, once Qt's has ended: stopping
        this one stops that."""
        self.loop.stop()
        self.loop.run_until_complete(self.bridge.ended())
        self.loop.close()

    async def _load(self) -> None:
        try:
            await self.feed.load()
        except FolkmootError as error:
            self._show_fault(error)
            return
        self._is_loaded()

    def _is_loaded(self) -> None:
        self._loaded = True
        identity = self.model.identity
        if self.start is not None and identity is not None:
            self.start.take_identity(identity)
        if self.main is not None:
            self.main.loaded()
        elif self.model.teams:
            if self.start is not None:
                self._opening.take(self.start.invited)
            self._enter(next(iter(self.model.teams)))
        self._opening.show(on_start=self._is_start_shown())

    def _is_start_shown(self) -> bool:
        return self.start is not None and self._shell.page() is self._start_view

    def _begin_start(self, view: StartView | None) -> None:
        view = view or StartView(self._theme)
        self.start = StartPresenter(view, self.model, self.bridge, self._profile)
        self.start.entered.connect(lambda team: self._enter(ConversationId(team)))
        view.left.connect(self._leave_start)
        view.nearby.why_wanted.connect(lambda: self.connections.open_doctor())
        self._start_view = view

    def _begin_main(self, view: MainView) -> None:
        self.main = MainPresenter(
            view,
            self._shell,
            self._theme,
            self.model,
            self.feed,
            self.bridge,
            self._profile,
            self._emoji,
            self.connections,
        )
        self.main.start_wanted.connect(self._show_start)
        self.main.begin(self._first)

    def _enter(self, team: ConversationId) -> None:
        """Open a team; the main view is made the first time."""
        if self.start is not None:
            self.start.leave()
        if self.main is None:
            self._first = None
            self._begin_main(MainView(self._theme))
        assert self.main is not None
        self._shell.show_page(self.main.view)
        self.main.open_team(team)

    def _show_start(self) -> None:
        if self.start is None:
            self._begin_start(None)
        assert self.start is not None
        self._shell.show_page(self._start_view)
        self._shell.say_where(self.tr("Start or join a team"))
        if self.model.identity is not None:
            self.start.take_identity(self.model.identity)
        team = self.main.team if self.main is not None else None
        name = self.model.teams[team].name if team in self.model.teams else ""
        self._start_view.offer_way_back(name)
        self.start.open()

    def _invite(self, link: str) -> None:
        assert self.start is not None
        self.start.invite(link)

    def _follow(self, link: str) -> None:
        self._show_start()
        assert self.start is not None
        self.start.follow(link)

    def _leave_start(self) -> None:
        if self.main is not None and self.main.team is not None:
            self._enter(self.main.team)

    def _took_answer(self, answer: AskAnswered) -> None:
        if self.start is not None:
            self.start.took_answer(answer)

    def _show_fault(self, error: FolkmootError) -> None:
        """The node could not start: say why. A conversation that is shown stays, with a card."""
        if self.main is not None:
            return
        self._behind_fault = self._shell.page()
        self._shell.show_page(fault_page(self._shell, self._theme, error))

    def _recovered(self) -> None:
        """The node is up after all: what stood before the fault comes back."""
        if self._behind_fault is not None:
            fault = self._shell.page()
            self._shell.show_page(self._behind_fault)
            self._behind_fault = None
            if fault is not None:
                fault.deleteLater()
        if not self._loaded:
            self._is_loaded()

    def _save(self) -> None:
        if self.main is not None:
            self.main.save()
        place = self._shell.place()

        async def keep(node: Node) -> None:
            await node.settings.set("window.place", place)

        self.bridge.tell(keep)

    def _activated(self, active: bool) -> None:
        if self.main is not None:
            self.main.set_active(active)


def _report(error: BaseException) -> None:
    """A bug of ours reaches the top hook, once; the window goes on."""
    sys.excepthook(type(error), error, error.__traceback__)
