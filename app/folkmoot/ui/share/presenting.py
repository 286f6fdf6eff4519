"""What stands on the presenter's display while something is shared: bar, frame, ink of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, QTimer
from PySide6.QtGui import QGuiApplication

from folkmoot.services.call_values import Call, ParticipantState, Share
from folkmoot.ui.call.state import screen_state
from folkmoot.ui.share.bar import PresenterBar
from folkmoot.ui.share.frame import InkGlass, ShareFrame
from folkmoot.ui.share.places import displays, to_logical

if TYPE_CHECKING:
    from folkmoot.ui.call.room import Room
    from folkmoot.ui.share.sharing import Sharing

_OVER_MS = 1000


class Presenting(QObject):
    """Made when a share begins, closed when it ends."""

    def __init__(self, room: Room, sharing: Sharing) -> None:
        super().__init__(sharing)
        self._sharing = sharing
        me = next(p for p in room.call.participants if p.is_me)
        self._board = sharing.boards.of(me.device)
        state = screen_state(me)
        self.bar = PresenterBar(state, room.theme, room.pictures, sharing.boards)
        self.frame = ShareFrame(room.theme)
        self.glass = InkGlass(self._board)
        self.bar.pause_pressed.connect(sharing.toggle_pause)
        self.bar.switch_pressed.connect(sharing.picking.open)
        self.bar.clear_pressed.connect(sharing.clear)
        self.bar.stop_pressed.connect(sharing.stop)
        self._board.strokes_changed.connect(self._show_ink)
        self._over = QTimer(self)
        self._over.setInterval(_OVER_MS)
        self._over.timeout.connect(self._stay_over)
        self._over.start()
        self._show_ink()

    def show_call(self, call: Call, share: Share) -> None:
        """The newest of call and share."""
        me = next((p for p in call.participants if p.is_me), None)
        if me is None:
            return
        there = ParticipantState.CONNECTED
        watching = sum(not p.is_me and p.state is there for p in call.participants)
        self.bar.show_share(screen_state(me), share_name(share), watching)
        shared, display = shared_place(share)
        self.frame.show_around(shared, display, paused=share.paused)
        self.glass.show_over(shared)
        self.bar.stand_at(shared, display)

    def _stay_over(self) -> None:
        """No window manager keeps these over windows that are raised."""
        for over in (self.frame, self.glass):
            if over.isVisible():
                over.raise_()

    def _show_ink(self) -> None:
        self.bar.show_ink(not self._board.ink.is_empty)

    def close(self) -> None:
        """Nothing of it is in sight any more."""
        self.bar.close_now()
        for over in (self.frame, self.glass):
            over.hide()
            over.deleteLater()
        self.deleteLater()


def shared_place(share: Share) -> tuple[QRect, QRect]:
    """Where the shared thing is in logical pixels, empty if nobody knows, and its display."""
    there = displays()
    shared = to_logical(share.place, there)
    screen = QGuiApplication.screenAt(shared.center()) if not shared.isEmpty() else None
    screen = screen or QGuiApplication.primaryScreen()
    return shared, screen.geometry() if screen is not None else QRect()


def share_name(share: Share) -> str:
    """What the shared thing is called; nothing for a whole screen, or without a name."""
    if share.choice.kind == "screen":
        return ""
    if share.name:
        return share.name
    if share.choice.kind == "region":
        return QGuiApplication.translate("Share", "a part of the screen")
    return ""
