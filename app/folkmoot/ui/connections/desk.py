"""Decides about connections: the dialog of servers, the doctor's window, the card of a person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from PySide6.QtCore import QDateTime, QObject, QRect, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import PersonId
from folkmoot.domain.ranges import is_range
from folkmoot.services.doctor_text import doctor_text
from folkmoot.services.values import DoctorReport, PeerReport, Server
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.connections.card import PersonReach, ReachCard, ReachedDevice
from folkmoot.ui.connections.servers import ConnectionsDialog
from folkmoot.ui.connections.state import doctor_state, row_state
from folkmoot.ui.connections.window import DoctorWindow
from folkmoot.ui.connections.words import Over, Reach, reach_over, seen_words
from folkmoot.ui.facade import Node
from folkmoot.ui.main.state import presence_words
from folkmoot.ui.model import WindowModel
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.popover import Popover

T = TypeVar("T")
FOLLOW_MS = 500
"""Changes within this time are read together."""


class Connections(QObject):
    """Made once for a window."""

    def __init__(self, shell: QWidget, theme: Theme, model: WindowModel, bridge: Bridge) -> None:
        super().__init__()
        self._shell = shell
        self._theme = theme
        self._model = model
        self._bridge = bridge
        self._report: DoctorReport | None = None
        self.dialog: ConnectionsDialog | None = None
        self.window: DoctorWindow | None = None
        self._later = QTimer(self, singleShot=True, interval=FOLLOW_MS)
        self._later.timeout.connect(lambda: self._read(in_place=True))
        model.servers_changed.connect(self._servers_changed)
        model.peers_changed.connect(self._follow)

    # --- servers

    def open_servers(self, over: QWidget | None = None) -> None:
        """Show the servers, over the main window or the doctor's."""
        if self.dialog is not None:
            return
        dialog = self.dialog = ConnectionsDialog(over or self._shell, self._theme)
        dialog.finished.connect(self._closed_servers)
        dialog.add_wanted.connect(self._add)
        dialog.remove_wanted.connect(self._remove)
        dialog.doctor_wanted.connect(dialog.accept)
        dialog.doctor_wanted.connect(lambda: self.open_doctor())
        dialog.show_servers(self._model.servers)
        dialog.open()

    def _closed_servers(self) -> None:
        self.dialog = None

    def _servers_changed(self) -> None:
        if self.dialog is not None:
            self.dialog.show_servers(self._model.servers)
        self._follow()

    def _add(self, url: str) -> None:
        def added(_: Server) -> None:
            if self.dialog is not None:
                self.dialog.added()

        self._ask(lambda node: node.servers.add(url), added, self._say_in_dialog)

    def _remove(self, url: str) -> None:
        self._ask(lambda node: node.servers.remove(url), lambda _: None, self._say_in_dialog)

    def _say_in_dialog(self, error: FolkmootError) -> None:
        if self.dialog is not None:
            self.dialog.say_problem(str(error))

    # --- the doctor

    def open_doctor(self, person: PersonId | None = None) -> None:
        """Show the doctor's window, and there the computers of a person."""
        window = self._made()
        was_open = window.isVisible()
        window.come_forward()
        if not was_open:
            window.check.setFocus()

        def shown() -> None:
            if person is not None:
                window.show_person(person)

        self._read(in_place=was_open, then=shown)

    def _made(self) -> DoctorWindow:
        if self.window is None:
            window = self.window = DoctorWindow(self._theme)
            window.check_pressed.connect(self._check)
            window.copy_pressed.connect(self._copy)
            window.computer.trying.wanted.connect(self._try)
            window.servers_wanted.connect(lambda: self.open_servers(window))
        return self.window

    def _follow(self) -> None:
        """Something changed: what is looked at follows."""
        if self.window is not None and self.window.isVisible() and not self._later.isActive():
            self._later.start()

    def _read(self, *, in_place: bool, then: Callable[[], None] = lambda: None) -> None:
        def show(report: DoctorReport) -> None:
            self._show(report, in_place=in_place)
            then()

        async def ask(node: Node) -> DoctorReport:
            return await node.doctor.report()

        self._ask(ask, show, self._say_problem)

    def _check(self) -> None:
        if self.window is None:
            return
        self.window.begin_check()

        async def ask(node: Node) -> DoctorReport:
            return await node.doctor.check()

        self._ask(ask, self._checked, self._failed)

    def _checked(self, report: DoctorReport) -> None:
        if self.window is not None:
            self.window.end_check()
        self._show(report, in_place=False)

    def _failed(self, error: FolkmootError) -> None:
        if self.window is not None:
            self.window.end_check()
        self._say_problem(error)

    def _show(self, report: DoctorReport, *, in_place: bool) -> None:
        self._report = report
        if self.window is not None:
            state = doctor_state(report, _now_ms())
            self.window.say_problem("")
            self.window.show_report(state, in_place=in_place)
            if state.looks:
                self._follow()

    def _try(self, address: str) -> None:
        """Dial what was typed now; a range is looked through in the background."""

        async def dial(node: Node) -> str:
            if is_range(address):
                node.doctor.scan(address)
                return ""
            return (await node.peers.dial(address)).name

        def tried(name: str) -> None:
            words = self.tr("{name} is reached there.").format(name=name) if name else ""
            self._say_tried(words)
            self._read(in_place=True)

        def failed(error: FolkmootError) -> None:
            self._say_tried(str(error), bad=True)
            self._read(in_place=True)

        self._ask(dial, tried, failed)

    def _say_tried(self, words: str, *, bad: bool = False) -> None:
        if self.window is not None:
            self.window.computer.trying.say(words, bad=bad)

    def _say_problem(self, error: FolkmootError) -> None:
        if self.window is not None:
            self.window.say_problem(str(error))

    def _copy(self) -> None:
        if self._report is not None and self.window is not None:
            QGuiApplication.clipboard().setText(doctor_text(self._report))
            self.window.say_copied()

    # --- the card of a person

    def show_card(self, person: PersonId, anchor: QRect) -> None:
        """Say how somebody is reached, beside `anchor` (global)."""

        def show(reports: tuple[PeerReport, ...]) -> None:
            self._pop_up(person, reports, anchor)

        async def ask(node: Node) -> tuple[PeerReport, ...]:
            report = await node.doctor.report()
            return tuple(peer for peer in report.peers if peer.person == person)

        self._ask(ask, show, lambda _: show(()))

    def _pop_up(self, person: PersonId, reports: tuple[PeerReport, ...], anchor: QRect) -> None:
        presence = self._model.state_of(person)
        known = self._model.presence.get(person)
        line = known.text if known and known.text else presence_words(presence)
        devices = tuple(self._device(report) for report in reports) or self._known(person)
        name = self._model.name_of(person)
        card = ReachCard(PersonReach(person, name, presence, line, devices), self._theme)
        popover = Popover(self._shell, self._theme, card)
        card.doctor_wanted.connect(popover.close_popover)
        card.doctor_wanted.connect(lambda: self.open_doctor(person))
        popover.open_at(anchor)

    def _device(self, report: PeerReport) -> ReachedDevice:
        peers = {peer.device: peer for peer in self._model.peers_of(report.person)}
        peer, row = peers.get(report.device), row_state(report, _now_ms())
        seen_ms = peer.last_seen_ms if peer is not None else None
        why = f"{row.why} {row.advice}".strip()
        return ReachedDevice(report.device_name, row.reach, why, _seen(row.reach, seen_ms))

    def _known(self, person: PersonId) -> tuple[ReachedDevice, ...]:
        """What the window knows by itself, where the doctor has no answer."""
        found = []
        for peer in self._model.peers_of(person):
            reach = reach_over(peer.state, peer.way, peer.address, peer.rtt_ms)
            found.append(ReachedDevice("", reach, "", _seen(reach, peer.last_seen_ms)))
        return tuple(found)

    # --- asking

    def _ask(
        self,
        act: Callable[[Node], Awaitable[T]],
        done: Callable[[T], object],
        failed: Callable[[FolkmootError], object],
    ) -> None:
        async def work() -> None:
            try:
                answer = await self._bridge.ask(act)
            except FolkmootError as error:
                failed(error)
            else:
                done(answer)

        self._bridge.run(work(), "ui: act about connections")

    def close(self) -> None:
        """The main window closes, and this one with it."""
        if self.window is not None:
            self.window.close()
            self.window.deleteLater()
            self.window = None


def _seen(reach: Reach, at_ms: int | None) -> str:
    """When somebody was there last, in words; empty for who is there."""
    return seen_words(at_ms, _now_ms()) if reach.over is Over.NOTHING else ""


def _now_ms() -> int:
    return QDateTime.currentMSecsSinceEpoch()
