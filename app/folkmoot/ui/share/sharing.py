"""Decides about shared screens in one call: ours with its bar and frame, theirs with their ink."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QWidget

from folkmoot.domain.ids import DeviceId
from folkmoot.services import events as told
from folkmoot.services.call_values import Call, CallId, CallPhase
from folkmoot.ui.call.line import Line
from folkmoot.ui.facade import Calls
from folkmoot.ui.share.boards import Boards
from folkmoot.ui.share.ink import Spot
from folkmoot.ui.share.picking import Picking
from folkmoot.ui.share.presenting import Presenting
from folkmoot.ui.widgets.popover import MenuItem, build_menu

if TYPE_CHECKING:
    from folkmoot.ui.call.room import Room


class Sharing(QObject):
    """Works what is shared in a room."""

    def __init__(self, room: Room, line: Line) -> None:
        super().__init__(room)
        self._room = room
        self._line = line
        self.boards = Boards(room.model.me, self)
        self.boards.sent.connect(self._send_ink)
        self.picking = Picking(room, line)
        self.presenting: Presenting | None = None

    def connect_parts(self) -> None:
        """What is pressed in the window of the call."""
        room, window = self._room, self._room.window
        window.bar.share_pressed.connect(self.press)
        window.share_wanted.connect(self.press)
        window.full_wanted.connect(self._fill_display)
        window.stage.full_pressed.connect(lambda key: room.pop_out(key, full=True))
        window.stage.pop_out_pressed.connect(room.pop_out)
        window.stage.switch_pressed.connect(self._open_screens)

    # --- what is told

    def show_call(self, call: Call) -> None:
        """The call as it is now."""
        self.boards.keep(bytes(p.device) for p in call.participants if p.screen)
        share = call.share
        if share is None or call.phase is not CallPhase.JOINED:
            self._end_presenting()
            return
        if self.presenting is None:
            self._room.window.show_notice("share", "")
            self.presenting = Presenting(self._room, self)
        self.presenting.show_call(call, share)

    def take(self, event: told.Event) -> None:
        """Ink, and what can be shared."""
        match event:
            case told.InkDrawn(call=call) if call == self._room.call.id:
                self.boards.take(event)
            case told.ShareSourcesChanged(sources=sources):
                self.picking.show_sources(sources)

    # --- acts

    def press(self) -> None:
        """Choose what to share; while something is shared, what to do with that."""
        room = self._room
        if room.is_over:
            return
        room.show()
        if room.call.phase is not CallPhase.JOINED:
            words = self.tr("You can share as soon as somebody is here.")
            room.window.show_notice("early", words)
        elif room.call.share is None:
            self.picking.open()
        else:
            self._open_menu()

    def _open_menu(self) -> None:
        room, share = self._room, self._room.call.share
        assert share is not None
        drawn = self.presenting is not None and self.presenting.bar.clear.isEnabled()
        clear = [MenuItem(self.tr("Clear what was drawn"), self.clear, "eraser")]
        menu = build_menu(
            room.window,
            room.theme,
            [
                MenuItem(
                    self.tr("Go on") if share.paused else self.tr("Pause"),
                    self.toggle_pause,
                    "play" if share.paused else "pause",
                ),
                MenuItem(self.tr("Share something else…"), self.picking.open, "replace"),
                *(clear if drawn else []),
                MenuItem(""),
                MenuItem(self.tr("Stop sharing"), self.stop, "screen-share-off", danger=True),
            ],
        )
        button = room.window.bar.share
        menu.popup(button.mapToGlobal(QPoint(0, -menu.sizeHint().height() - 4)))

    def toggle_pause(self) -> None:
        """Let others see the last picture, or go on."""
        share = self._room.call.share
        if share is not None:
            on = not share.paused
            self._do(lambda calls, id_: calls.pause_share(id_, on))

    def stop(self) -> None:
        """Share nothing any more."""
        self._do(lambda calls, id_: calls.stop_share(id_))

    def clear(self) -> None:
        """Wipe away what was drawn over our screen."""
        me = next((p for p in self._room.call.participants if p.is_me), None)
        if me is not None:
            self.boards.clear(bytes(me.device))

    def _fill_display(self) -> None:
        """The screen that is large, or the first."""
        stage = self._room.window.stage
        large = stage.tiles.get(stage.front() or ())
        screens = [state for state in stage.screens if not state.is_me]
        if large is not None and large.state.is_screen:
            self._room.pop_out(large.state.key, full=True)
        elif screens:
            self._room.pop_out(screens[0].key, full=True)

    def _open_screens(self, button: QWidget) -> None:
        """Which of several screens is large."""
        room = self._room
        items = [
            MenuItem(state.shown_name, lambda key=state.key: room.keep_large(key), "monitor-up")  # type: ignore[misc]
            for state in room.window.stage.screens
        ]
        menu = build_menu(room.window, room.theme, items)
        menu.popup(button.mapToGlobal(QPoint(0, -menu.sizeHint().height() - 4)))

    def _send_ink(
        self, presenter: DeviceId, action: str, stroke: int, places: Sequence[Spot]
    ) -> None:
        if not self._room.is_over:
            id_ = self._room.call.id
            self._line.do(lambda calls: calls.ink(id_, presenter, action, stroke, places))

    def _do(self, act: Callable[[Calls, CallId], Awaitable[object]]) -> None:
        id_ = self._room.call.id
        self._line.do(lambda calls: act(calls, id_), failed=self._room.say_problem)

    # --- the end

    def _end_presenting(self) -> None:
        if self.presenting is not None:
            self.presenting.close()
            self.presenting = None

    def close(self) -> None:
        """The call is over."""
        self.picking.close()
        self._end_presenting()
