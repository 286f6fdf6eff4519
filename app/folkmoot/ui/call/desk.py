"""Decides about all calls of this computer: who rings, which one is shown, the strip, its dialogs.

What happens inside the call one is in is `room`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ConversationId
from folkmoot.services import events as told
from folkmoot.services.call_values import (
    Call,
    CallEnd,
    CallId,
    CallPhase,
    CallRecord,
    MediaChoice,
)
from folkmoot.services.values import ConversationKind
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.call.check import CheckDialog
from folkmoot.ui.call.checking import Checking
from folkmoot.ui.call.history import HistoryDialog
from folkmoot.ui.call.line import Line
from folkmoot.ui.call.ring import Rings
from folkmoot.ui.call.room import Room
from folkmoot.ui.call.state import RecordState, ended_words, record_state, ring_title
from folkmoot.ui.call.strip import Strip
from folkmoot.ui.conversation.drafting import Drafting
from folkmoot.ui.facade import Calls
from folkmoot.ui.main.state import place_words
from folkmoot.ui.main.view import MainView
from folkmoot.ui.model import WindowModel
from folkmoot.ui.recording.library import Library
from folkmoot.ui.recording.sign import RecordSign
from folkmoot.ui.recording.words import recorders, who_records
from folkmoot.ui.shell import Shell
from folkmoot.ui.theme.theme import DarkTheme, Theme
from folkmoot.ui.widgets.emoji import EmojiList
from folkmoot.ui.widgets.surfaces import Toast, Tone

TOLD_STRIP = "call.strip_told"


class Desk(QObject):
    """Made with the first call; lives as long as the main window."""

    opened = Signal(bytes)
    link_pressed = Signal(str)
    chat_made = Signal(object)
    """A timeline beside a call."""
    moment_wanted = Signal(bytes, object, str)
    """As `Library.moment_wanted`."""

    def __init__(
        self,
        view: MainView,
        shell: Shell,
        theme: Theme,
        model: WindowModel,
        bridge: Bridge,
        drafting: Drafting,
        emoji: EmojiList,
    ) -> None:
        super().__init__()
        self._view = view
        self._shell = shell
        self._theme = theme
        self._dark = DarkTheme(theme)
        self._model = model
        self._bridge = bridge
        self._drafting = drafting
        self._emoji = emoji
        self._line = Line(bridge)
        self.room: Room | None = None
        self.checking = Checking(theme, self._dark, self._line)
        self.checking.choice_changed.connect(self._take_choice)
        self.rings = Rings(shell, theme)
        self.rings.accepted.connect(lambda c, video: self._accept(CallId(c), video=video))
        self.rings.declined.connect(lambda c, words: self._decline(CallId(c), words))
        self.strip = Strip(theme)
        self.strip.hide()
        view.side_bar.put_strip(self.strip)
        self.strip.pressed.connect(self.show_room)
        self.strip.microphone_pressed.connect(self._toggle_microphone)
        self.strip.leave_pressed.connect(self._leave)
        self.library = Library(theme, self._dark, model, self._line)
        self.library.moment_wanted.connect(self.moment_wanted)
        self.recorded = RecordSign(theme)
        view.header.put_sign(self.recorded)
        self._told_strip = False
        self._is_closed = False
        self._tick = QTimer(self)
        self._tick.setInterval(1000)
        self._tick.timeout.connect(self._show_strip)
        self._add_keys()

    def _add_keys(self) -> None:
        for keys, act in (
            ("Ctrl+Shift+A", self.answer),
            ("Ctrl+Shift+M", self._toggle_microphone),
            ("Ctrl+Shift+E", self._share),
        ):
            shortcut = QShortcut(QKeySequence(keys), self._shell)
            shortcut.activated.connect(act)
            if act == self.answer:
                shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)

    # --- what is told

    def follow(self, call: Call) -> None:
        """A call is new or changed."""
        if self._is_closed:
            return
        if call.phase is CallPhase.RINGING:
            self.rings.show_ring(
                call.id,
                ring_title(call),
                call.started_by,
                self._ring_line(call),
                video=call.video,
                active=self._shell.isActiveWindow(),
            )
        else:
            self.rings.end(call.id)
        if call.phase in (CallPhase.JOINED, CallPhase.CALLING):
            self._enter(call)
        elif self.room is not None and self.room.call.id == call.id:
            self._end(call)
        self._show_strip()

    def take(self, event: told.Event) -> None:
        """What is told of a call beside its state, and of the devices."""
        self.checking.take(event)
        if isinstance(event, told.RecordingsChanged):
            self.library.take(event)
        elif self.room is not None:
            if isinstance(event, told.CallNotice) and event.code == "share" and event.message:
                self._toast(f"{event.message} {event.hint}".strip(), Tone.WARNING)
            self.room.take(event)
            if self.check is not None and isinstance(event, told.CallLevels):
                me = {p.device for p in self.room.call.participants if p.is_me}
                mine = [level for device, level, _ in event.rows if device in me]
                self.checking.show_level(max(mine, default=0.0))
        elif isinstance(event, told.CallNotice) and event.message and self.check is None:
            self._toast(f"{event.message} {event.hint}".strip(), Tone.WARNING)

    def take_message(self, event: told.Event) -> None:
        """A message event, for the chat beside the call."""
        if self.room is not None:
            self.room.take_message(event)

    def came_forward(self) -> None:
        """The main window is the active one."""
        self.rings.hide_toasts()

    def close(self) -> None:
        """The main window closes, and with it everything of calls; the node leaves them."""
        self._is_closed = True
        self.rings.close()
        self._tick.stop()
        self.checking.close()
        self.library.close()
        if self.room is not None:
            self.room.close()
            self.room = None

    @property
    def presents(self) -> bool:
        """Whether this person shares something now: nothing private comes up then."""
        room = self.room
        return room is not None and not room.is_over and room.call.share is not None

    @property
    def check(self) -> CheckDialog | None:
        """The dialog of devices, while it is open."""
        return self.checking.dialog

    # --- acts

    def call_in(self, conversation: ConversationId) -> Call | None:
        """The call that runs in a conversation."""
        return self._model.call_in(conversation)

    def start(self, conversation: ConversationId, *, video: bool) -> None:
        """Begin a call; with the camera only after looking into it."""
        if video:
            self._look_first(
                self.tr("Start the call"), lambda on: self._start(conversation, video=on)
            )
        else:
            self._start(conversation, video=False)

    def _start(self, conversation: ConversationId, *, video: bool) -> None:
        place = self._model.conversations.get(conversation)
        # In a channel a call is open to whoever wants to come: nobody is disturbed by it.
        ring = place is None or place.kind is not ConversationKind.CHANNEL
        self._line.do(
            lambda calls: calls.start(conversation, video=video, ring=ring),
            failed=self._say_problem,
        )

    def join_or_show(self, id_: CallId) -> None:
        """Show the call one is in, or come into one that runs."""
        if self.room is not None and self.room.call.id == id_:
            self.show_room()
            return
        call = self._model.calls.get(id_)
        if call is None:
            return
        if call.video:
            self._look_first(self.tr("Join"), lambda on: self._join(id_, video=on))
        else:
            self._join(id_, video=False)

    def answer(self) -> None:
        """Answer whoever has rung longest."""
        ringing = next(iter(self.rings.cards), None)
        if ringing is not None:
            self._accept(CallId(ringing), video=False)

    def show_room(self) -> None:
        """Bring the window of the call to the front."""
        if self.room is not None:
            self.room.show()

    def open_settings(self, room: Room | None = None) -> None:
        """Devices, level, own picture; over the window of a call, from where it was asked for."""
        over = self._shell if room is None else room.window
        in_call = self.room is not None
        self.checking.open(over, in_call=in_call, dark=room is not None)

    def open_history(self) -> None:
        """Calls of before, newest first."""
        dialog = HistoryDialog(self._shell, self._theme)
        dialog.opened.connect(self.opened)
        alive = [True]
        dialog.destroyed.connect(lambda: alive.clear())

        def read(records: list[CallRecord]) -> None:
            if alive:
                dialog.show_records([self._record(record) for record in records])

        async def ask(calls: Calls) -> list[CallRecord]:
            return list(await calls.history(50))

        self._line.do(ask, read, lambda e: dialog.say_problem(str(e)) if alive else None)
        dialog.open()

    def _look_first(self, act: str, go: Callable[[bool], None]) -> None:
        self.checking.open(self._shell, act, go, in_call=self.room is not None)

    def _take_choice(self, choice: MediaChoice) -> None:
        if self.room is not None:
            self.room.take_choice(choice)

    def _record(self, record: CallRecord) -> RecordState:
        conversation = self._model.conversations.get(record.conversation)
        place = place_words(self._model, conversation) if conversation else ""
        return record_state(record, place or record.started_by_name)

    def _accept(self, id_: CallId, *, video: bool) -> None:
        self._join(id_, video=video)

    def _join(self, id_: CallId, *, video: bool) -> None:
        before = self.room.call.id if self.room is not None and not self.room.is_over else None

        async def join(calls: Calls) -> Call:
            if before is not None and before != id_:
                await calls.leave(before)
            talks = calls.choice().push_to_talk
            return await calls.join(id_, video=video, microphone=not talks)

        def failed(error: FolkmootError) -> None:
            if id_ in self.rings.cards:
                self.rings.say_problem(id_, str(error))
            else:
                self._say_problem(error)

        # What it answers may be older than what was told meanwhile: `follow` hears of it anyway.
        self._line.do(join, failed=failed)

    def _decline(self, id_: CallId, words: str) -> None:
        self._line.do(
            lambda calls: calls.decline(id_, words),
            lambda _: self.rings.end(id_),
            lambda error: self.rings.say_problem(id_, str(error)),
        )

    def _toggle_microphone(self) -> None:
        if self.room is not None:
            self.room.acts.toggle_microphone()

    def _share(self) -> None:
        if self.room is not None:
            self.room.sharing.press()

    def _leave(self) -> None:
        if self.room is not None:
            self.room.acts.leave()

    # --- the call one is in

    def _enter(self, call: Call) -> None:
        if self.room is not None and self.room.call.id == call.id:
            self.room.show_call(call)
            return
        before = self.room
        self.room = room = Room(
            call, self._dark, self._model, self._bridge, self._line, self._drafting, self._emoji
        )
        room.hidden.connect(self._say_strip)
        room.closed.connect(self._gone)
        room.changed.connect(self._show_strip)
        room.settings_wanted.connect(lambda: self.open_settings(room))
        room.recording.said.connect(self._toast)
        room.recording.library_wanted.connect(self.library.open)
        room.link_pressed.connect(self.link_pressed)
        room.beside.chat_made.connect(self.chat_made)
        if before is not None:  # two calls began at once, or another ring was answered
            room.window.setGeometry(before.window.geometry())
            self._close_settings(before)
            before.close()
        room.show()
        self._tick.start()

    def _end(self, call: Call) -> None:
        assert self.room is not None
        room = self.room
        self._close_settings(room)
        if call.phase is not CallPhase.ENDED or call.end in (CallEnd.LEFT, CallEnd.MERGED):
            room.close()
            self._gone()
            return
        if not room.window.isVisible():
            self._toast(ended_words(call))
        room.say_over(call)

    def _close_settings(self, room: Room) -> None:
        """The dialog that stands over the window of a call goes with it."""
        if self.check is not None and self.check.parentWidget() is room.window:
            self.checking.close()

    def _gone(self) -> None:
        self.room = None
        self._tick.stop()
        self._show_strip()

    def _show_strip(self) -> None:
        room = self.room
        shown = room is not None and not room.is_over
        if not shown and self.strip.isAncestorOf(self.strip.window().focusWidget()):
            self._view.conversation.composer.setFocus()  # nothing is left to press here
        self.strip.setVisible(shown)
        self.rings.set_quiet(self.presents)
        recorded = ""
        if room is not None and shown:
            state = room.strip_state(time.time())
            self.strip.show_state(state)
            recorded = state.recorded
        self.recorded.show_words(recorded if self._view.is_folded else "")

    def _say_strip(self) -> None:
        """Once: where the call went when its window was closed."""
        if self._told_strip or self.presents:
            return
        self._told_strip = True

        def known(value: str | None) -> None:
            if value is None:
                words = self.tr(
                    "You are still in the call. The strip at the lower left shows it again, mutes "
                    "and hangs up."
                )
                self._toast(words, stay_ms=9000)
                self._line.keep(TOLD_STRIP, "1")

        self._line.setting(TOLD_STRIP, known)

    def _ring_line(self, call: Call) -> str:
        said = (self._rings_how(call), who_records(recorders(call)))
        return " · ".join(part for part in said if part)

    def _rings_how(self, call: Call) -> str:
        conversation = self._model.conversations.get(call.conversation)
        if conversation is None or conversation.kind is not ConversationKind.CHANNEL:
            return self.tr("calls you with video") if call.video else self.tr("calls you")
        place = place_words(self._model, conversation)
        words = self.tr("calls in {place}")
        if call.video:
            words = self.tr("calls in {place} with video")
        return words.format(place=place)

    def _say_problem(self, error: FolkmootError) -> None:
        self._toast(f"{error.message} {error.hint}".strip(), Tone.WARNING)

    def _toast(self, words: str, tone: Tone = Tone.INFO, stay_ms: int = 6000) -> None:
        self.rings.stay_over(Toast(words, self._theme, self._shell, tone, stay_ms=stay_ms))
