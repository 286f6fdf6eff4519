"""Decides about recording in the call one is in: who is told, the sheet, the recorder's line.

What is shown of it stands in `sign`, `sheet` and `bar`; finished recordings are `library`'s.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import DeviceId
from folkmoot.services.call_values import Call, CallPhase, Participant, RecordChoice, RecordingNow
from folkmoot.ui.call.layout import LayoutKind
from folkmoot.ui.call.line import Line
from folkmoot.ui.recording.announce import announce
from folkmoot.ui.recording.bar import RecorderBar
from folkmoot.ui.recording.folder import choose_folder
from folkmoot.ui.recording.sheet import RecordSheet
from folkmoot.ui.recording.words import (
    began,
    ended,
    meets_recording,
    recorders,
    who_is_told,
    who_records,
)
from folkmoot.ui.widgets.popover import MenuItem

if TYPE_CHECKING:
    from folkmoot.ui.call.room import Room

CHOICE = "call.record"
_SECOND_MS = 1000


class RoomRecording(QObject):
    """The recording in one room."""

    said = Signal(str)
    """Somebody began or ended, while the window of the call is out of sight."""
    library_wanted = Signal()

    def __init__(self, room: Room, line: Line) -> None:
        super().__init__(room)
        self._room = room
        self._line = line
        self._known: dict[bytes, Participant] | None = None
        self._seen: tuple[str, DeviceId | None] | None = None
        self._now: RecordingNow | None = None
        self._told_at = 0.0
        self.sheet: RecordSheet | None = None
        self.bar: RecorderBar | None = None
        self._tick = QTimer(self)
        self._tick.setInterval(_SECOND_MS)
        self._tick.timeout.connect(self._show_figures)
        shortcut = QShortcut(QKeySequence("Ctrl+Shift+R"), room.window)
        shortcut.activated.connect(self.toggle)
        room.window.stage.placed.connect(self._tell_seen)

    # --- what is told

    def show_call(self, call: Call) -> None:
        """The call as it is now."""
        people = recorders(call)
        self._room.window.show_recorded(who_records(people))
        if call.phase is CallPhase.JOINED:
            self._say_changes(people)
        if call.recording is None and self._now is not None:
            self._seen = None
        self._now, self._told_at = call.recording, time.monotonic()
        self._show_bar()
        self._tell_seen()

    def _say_changes(self, people: tuple[Participant, ...]) -> None:
        now = {bytes(p.device): p for p in people}
        before, self._known = self._known, now
        if before is None:
            self._say(b"", meets_recording(people))
            return
        for device, who in now.items():
            if device not in before:
                self._say(device, began(who), quietly=who.is_me)
        for device, who in before.items():
            if device not in now:
                self._say(device, ended(who), mine=who.is_me)

    def _say(self, device: bytes, words: str, *, quietly: bool = False, mine: bool = False) -> None:
        """`quietly`: the eye has the recorder's line. `mine`: it can be looked at now."""
        if not words:
            return
        window = self._room.window
        announce(window, words)
        if quietly:
            return
        code = f"recorded {device.hex()}"
        window.show_notice(code, "")
        act = (self.tr("Show"), self.library_wanted.emit) if mine else None
        window.show_notice(code, words, act=act)
        if not window.isVisible():
            self.said.emit(words)

    def _show_bar(self) -> None:
        window = self._room.window
        if self._now is None:
            self._tick.stop()
            if self.bar is not None:
                if self.bar.isAncestorOf(window.focusWidget()):
                    window.more.setFocus()
                window.drop_line(self.bar)
                self.bar = None
            return
        if self.bar is None:
            self.bar = RecorderBar(self._room.theme)
            self.bar.pause_pressed.connect(self._pause)
            self.bar.stop_pressed.connect(self.stop)
            window.put_line(self.bar)
        if self._now.paused:
            self._tick.stop()
        else:
            self._tick.start()
        self._show_figures()

    def _show_figures(self) -> None:
        now = self._now
        if now is None or self.bar is None:
            return
        self.bar.show_now(now, now.seconds + time.monotonic() - self._told_at)

    def _tell_seen(self) -> None:
        """The layout on the screen, while it is recorded."""
        room = self._room
        if room.call.recording is None or room.is_over:
            return
        stage = room.window.stage
        layout, front = "grid", None
        if stage.layout_now is not LayoutKind.GRID:
            layout, who = "speaker", room.front()
            key = stage.front() or (who.key if who is not None else None)
            front = DeviceId(key[1]) if key is not None and key[1] else None
        if (layout, front) != self._seen:
            self._seen = (layout, front)
            call = room.call.id
            self._line.read(lambda calls: calls.set_seen(call, layout, front))

    # --- acts

    def menu_items(self) -> list[MenuItem]:
        """What the menu of the call offers."""
        items = [MenuItem(self.tr("Recordings…"), self.library_wanted.emit, "film")]
        if self._room.call.phase is not CallPhase.JOINED:
            return items
        if self._room.call.recording is None:
            return [MenuItem(self.tr("Record…"), self.open_sheet, "circle-dot"), *items]
        return [MenuItem(self.tr("Stop recording"), self.stop, "square"), *items]

    def toggle(self) -> None:
        """The key: ask how to record, or stop."""
        if self._room.is_over or self._room.call.phase is not CallPhase.JOINED:
            return
        if self._room.call.recording is not None:
            self.stop()
        elif self.sheet is None:
            self.open_sheet()

    def open_sheet(self) -> None:
        """Ask how to record."""
        room = self._room
        sheet = self.sheet = RecordSheet(room.window, room.theme, who_is_told(room.call))
        room.theme.dress(sheet)
        sheet.finished.connect(self._sheet_closed)
        sheet.submitted.connect(self._begin)
        sheet.folder_wanted.connect(self._choose_folder)
        self._line.setting(CHOICE, self._take_choice)
        self._line.do_in(lambda node: node.recordings.folder(), self._take_folder)
        sheet.open()

    def _sheet_closed(self) -> None:
        self.sheet = None

    def _take_choice(self, kept: str | None) -> None:
        words = (kept or "").split()
        if self.sheet is not None and words and words[0] in ("mkv", "mp4"):
            self.sheet.show_choice(RecordChoice(words[0], tracks="tracks" in words))

    def _take_folder(self, path: str) -> None:
        if self.sheet is not None:
            self.sheet.show_folder(path)
            self.sheet.say_problem("")

    def _choose_folder(self) -> None:
        assert self.sheet is not None
        self._line.do_in(lambda node: node.recordings.folder(), self._ask_folder)

    def _ask_folder(self, now: str) -> None:
        if self.sheet is not None:
            choose_folder(self.sheet, now, self._set_folder)

    def _set_folder(self, path: str) -> None:
        self._line.do_in(
            lambda node: node.recordings.set_folder(path),
            lambda _: self._take_folder(path),
            self._say_in_sheet,
        )

    def _begin(self) -> None:
        sheet, call = self.sheet, self._room.call.id
        assert sheet is not None
        choice = sheet.choice()
        sheet.set_busy(True)

        def begun(_: object) -> None:
            self._line.keep(CHOICE, f"{choice.container}{' tracks' if choice.tracks else ''}")
            if self.sheet is sheet:
                sheet.accept()

        self._line.do(lambda calls: calls.record(call, choice), begun, self._say_in_sheet)

    def _say_in_sheet(self, error: FolkmootError) -> None:
        if self.sheet is not None:
            self.sheet.say_problem(str(error))
        else:
            self._room.say_problem(error)

    def _pause(self) -> None:
        call, now = self._room.call.id, self._now
        if now is not None:
            on = not now.paused
            self._line.do(
                lambda calls: calls.pause_recording(call, on), failed=self._room.say_problem
            )

    def stop(self) -> None:
        """End it; the file is whole once nobody is shown as recording."""
        call, bar = self._room.call.id, self.bar
        if bar is not None:
            bar.stop.setEnabled(False)

        def failed(error: FolkmootError) -> None:
            if self.bar is not None:
                self.bar.stop.setEnabled(True)
            self._room.say_problem(error)

        self._line.do(lambda calls: calls.stop_recording(call), failed=failed)

    def close(self) -> None:
        """The call is over."""
        self._now = None
        self._show_bar()
        self._room.window.show_recorded("")
        if self.sheet is not None:
            self.sheet.reject()
