"""Decides in the call one is in: its window, what is shown there, whose tile is large.

What is asked of the node is in `acts`. The panels beside the stage are made when they are first
opened.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QObject, QPoint, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import DeviceId
from folkmoot.services import events as told
from folkmoot.services.call_values import (
    Call,
    CallPhase,
    MediaChoice,
    MediaDevices,
    Participant,
    ParticipantState,
)
from folkmoot.services.values import ConversationKind
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.call.absent import is_pair
from folkmoot.ui.call.acts import Acts
from folkmoot.ui.call.beside import BesideStage
from folkmoot.ui.call.controls import BarState
from folkmoot.ui.call.layout import LayoutKind
from folkmoot.ui.call.line import Line
from folkmoot.ui.call.menus import Menus
from folkmoot.ui.call.pictures import Pictures, Plan
from folkmoot.ui.call.small import SmallWindows
from folkmoot.ui.call.state import (
    Key,
    Speaker,
    TileState,
    call_line,
    clock_words,
    ended_words,
    key_of,
    tile_state,
)
from folkmoot.ui.call.strip import StripState, strip_state
from folkmoot.ui.call.window import CallWindow
from folkmoot.ui.conversation.drafting import Drafting
from folkmoot.ui.facade import Calls
from folkmoot.ui.main.state import place_words
from folkmoot.ui.model import WindowModel
from folkmoot.ui.recording.incall import RoomRecording
from folkmoot.ui.share.sharing import Sharing
from folkmoot.ui.theme.theme import DarkTheme
from folkmoot.ui.widgets.emoji import EmojiList

OVER_MS = 2500
"""How long the window says why a call ended."""
LAYOUT = "call.layout"


class Room(QObject):
    """One call that this computer is in."""

    changed = Signal()
    hidden = Signal()
    """The window was closed by hand; the call goes on."""
    closed = Signal()
    settings_wanted = Signal()
    link_pressed = Signal(str)

    def __init__(
        self,
        call: Call,
        theme: DarkTheme,
        model: WindowModel,
        bridge: Bridge,
        line: Line,
        drafting: Drafting,
        emoji: EmojiList,
    ) -> None:
        super().__init__()
        self.call = call
        self.devices = MediaDevices()
        self.choice = MediaChoice()
        self.theme = theme
        self.model = model
        self.line = line
        self._closed = False
        self._began = time.monotonic()
        self._heard_at: float | None = None
        self._speaker = Speaker()
        self.pictures = Pictures(self._show_tiles, self)
        self.sharing = Sharing(self, line)
        boards = self.sharing.boards
        self.window = CallWindow(theme, self.pictures, boards)
        self.small = SmallWindows(theme, self.pictures, boards, self)
        self.beside = BesideStage(self, bridge, drafting, emoji)
        self.acts = Acts(self, line)
        self.menus = Menus(self)
        self.recording = RoomRecording(self, line)
        self._tick = QTimer(self)
        self._tick.setInterval(1000)
        self._tick.timeout.connect(self._show_time)
        self._tick.start()
        self._connect()
        self._read()
        self.show_call(call)

    def _connect(self) -> None:
        window, bar = self.window, self.window.bar
        bar.microphone_pressed.connect(self.acts.toggle_microphone)
        bar.camera_pressed.connect(self.acts.toggle_camera)
        bar.hand_pressed.connect(self.acts.toggle_hand)
        bar.react_pressed.connect(self.menus.open_reactions)
        bar.microphone_menu.connect(self.menus.open_sound)
        bar.camera_menu.connect(self.menus.open_camera)
        bar.chat_pressed.connect(self.beside.toggle_chat)
        bar.people_pressed.connect(self.beside.toggle_people)
        bar.leave_pressed.connect(self.acts.leave)
        self.beside.changed.connect(self._show_bar)
        self.beside.link_pressed.connect(self.link_pressed)
        window.mute_wanted.connect(self.acts.toggle_microphone)
        window.talk_held.connect(self.acts.talk)
        window.layout_pressed.connect(self.menus.open_layouts)
        window.compact_pressed.connect(self.show_compact)
        window.ring_pressed.connect(self.beside.open_people)
        window.panel_dropped.connect(self.beside.close)
        window.more_pressed.connect(self.menus.open_more)
        window.closed_by_hand.connect(self.hidden)
        window.seen_changed.connect(self.pictures.changed)
        self.small.left.connect(window.let_go)
        self.small.back_pressed.connect(self.show)
        self.small.microphone_pressed.connect(self.acts.toggle_microphone)
        self.small.leave_pressed.connect(self.acts.leave)
        window.stage.pin_pressed.connect(self.toggle_pin)
        window.stage.menu_wanted.connect(self.menus.open_tile)
        self.sharing.connect_parts()

    def _read(self) -> None:
        self.line.read(lambda calls: calls.choice(), self.take_choice)
        self.line.do(lambda calls: calls.devices(), self._take_devices, self.say_problem)
        self.line.setting(LAYOUT, self._take_layout)

    # --- what is told

    def show_call(self, call: Call) -> None:
        """The call as it is now."""
        if call.phase is CallPhase.JOINED and self.call.phase is not CallPhase.JOINED:
            self._began = time.monotonic()
        heard = any(
            p.state is ParticipantState.CONNECTED and not p.is_me for p in call.participants
        )
        if heard and self._heard_at is None:
            self._heard_at = time.monotonic()
        self.call = call
        window = self.window
        conversation = self.model.conversations.get(call.conversation)
        if conversation is not None:
            is_channel = conversation.kind is ConversationKind.CHANNEL
            window.show_title(place_words(self.model, conversation), is_channel=is_channel)
        self.sharing.show_call(call)
        window.stage.show_call(call)
        window.line.setText(call_line(call))
        alone = call.phase is CallPhase.JOINED and len(call.participants) == 1
        window.ring.setVisible(alone and not is_pair(self.model, call))
        window.locked.show_words("lock", self.tr("Locked") if call.locked else "", "away_text")
        there = ParticipantState.CONNECTED
        others = any(not p.is_me and p.state is there for p in call.participants)
        if not window.chip.text() and others:
            window.show_way(self.tr("Direct, encrypted"))
        self.beside.show_call(call)
        self._show_bar()
        self._show_time()
        self.recording.show_call(call)
        self.changed.emit()

    def take(self, event: told.Event) -> None:
        """Levels, reactions, figures, notices, devices."""
        match event:
            case told.CallLevels(call=call, rows=rows) if call == self.call.id:
                self._take_levels(rows)
            case told.CallReaction(call=call, person=person, emoji=emoji) if call == self.call.id:
                self.window.stage.show_reaction(person, emoji)
            case told.CallStatsTaken(call=call, rows=rows) if call == self.call.id:
                self.beside.take_stats(rows)
                for row in rows:
                    self.window.stage.show_rate(row.device, row.screen_fps_in)
                relayed = any(row.way == "relay" for row in rows)
                words = self.tr("Relayed, encrypted") if relayed else self.tr("Direct, encrypted")
                if rows and words != self.window.chip.text():
                    self.window.show_way(words)
            case told.CallNotice(code=code, message=message, hint=hint):
                stays = ("microphone", "speaker", "camera", "share", "recording", "no_relay")
                bad = code in stays
                self.window.show_notice(code, f"{message} {hint}".strip(), bad=bad)
                if code == "media_restarted":
                    self.line.read(lambda calls: calls.memory(), self.pictures.take_memory)
            case told.DevicesChanged(devices=devices):
                self._take_devices(devices)
            case told.InkDrawn() | told.ShareSourcesChanged():
                self.sharing.take(event)

    def take_message(self, event: told.Event) -> None:
        """A message event, for the chat."""
        self.beside.take_message(event)

    def take_choice(self, choice: MediaChoice) -> None:
        """Devices and options that hold now."""
        if self.is_over:
            return  # an answer that came after the end
        self.choice = choice
        application = QApplication.instance()
        if application is not None and choice.push_to_talk != self.window.push_to_talk:
            if choice.push_to_talk:
                application.installEventFilter(self)
            else:
                application.removeEventFilter(self)
        self.window.push_to_talk = choice.push_to_talk
        self._show_bar()

    def _take_devices(self, devices: MediaDevices) -> None:
        self.devices = devices

    def _take_levels(self, rows: tuple[tuple[DeviceId, float, bool], ...]) -> None:
        me = next((p.device for p in self.call.participants if p.is_me), b"")
        speaking = {bytes(device) for device, _, speaks in rows if speaks}
        self.window.stage.show_speaking(speaking)
        self.small.show_speaking(speaking)
        self.beside.show_speaking(speaking)
        if self._speaker.take(rows, me):
            self.window.stage.speaker = self._speaker.current
            if self.window.stage.kind is LayoutKind.SPEAKER:
                self.window.stage.place()
            self.small.show_call(self.call, self.front())

    def _take_layout(self, name: str | None) -> None:
        if not self.is_over and name in {kind.value for kind in LayoutKind}:
            self.window.stage.kind = LayoutKind(name)
            self.window.stage.place()

    # --- acts

    def set_layout(self, kind: LayoutKind) -> None:
        """Grid or speaker, remembered; or a shared screen as long as there is one."""
        stage = self.window.stage
        stage.pinned = None
        stage.follows_share = kind is LayoutKind.SHARE
        if kind is not LayoutKind.SHARE:
            stage.kind = kind
            self.line.keep(LAYOUT, kind.value)
        stage.place()
        self.small.show_call(self.call, self.front())

    def toggle_pin(self, key: Key) -> None:
        """Keep somebody large, or let go."""
        stage = self.window.stage
        stage.pinned = None if stage.pinned == key else key
        stage.place()
        self.small.show_call(self.call, self.front())

    def keep_large(self, key: Key) -> None:
        """Keep somebody, or a screen, large."""
        if self.window.stage.pinned != key:
            self.toggle_pin(key)

    def pop_out(self, key: Key, *, full: bool = False) -> None:
        """Show somebody, or a screen, in a window of their own."""
        tile = self.window.stage.tiles.get(key)
        if tile is not None:
            self.small.pop_out(tile.state, full=full)

    def show_compact(self) -> None:
        """The small view over all windows instead of the large one."""
        self.window.hide()
        self.small.show_compact(self.call, self.front())

    def hide(self) -> None:
        """Nothing of the call is in sight any more."""
        self.window.hide()
        self.small.hide_compact()

    def show(self) -> None:
        """The window, in front."""
        self.small.hide_compact()
        self.window.come_forward()

    def participant(self, key: Key) -> Participant | None:
        """Somebody by the key of their tile."""
        return next((p for p in self.call.participants if key_of(p) == key[:2]), None)

    def front(self) -> TileState | None:
        """What the small view shows: what is kept large, a screen, who speaks, anybody."""
        key = self.window.stage.front()
        tile = self.window.stage.tiles.get(key) if key is not None else None
        if tile is not None:
            return tile.state
        people = sorted(self.call.participants, key=lambda p: (p.is_me, not p.camera))
        return tile_state(people[0]) if people else None

    def say_problem(self, error: FolkmootError) -> None:
        """The node's words, as a calm line."""
        if not self.is_over:
            self.window.show_notice("problem", str(error), bad=True)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """While push to talk is chosen: Space, before the control with the focus has it."""
        if isinstance(event, QKeyEvent) and isinstance(watched, QWidget):
            down = event.type() == QEvent.Type.KeyPress
            up = event.type() == QEvent.Type.KeyRelease
            ours = (self.window, *self.small.pop_outs.values())
            if (down or up) and watched.window() in ours:
                return self.window.take_talk_key(event, down)
        return False

    # --- the end

    @property
    def is_over(self) -> bool:
        """Whether only the reason of the end is shown."""
        return self.window.is_over

    def say_over(self, call: Call) -> None:
        """Why it ended, for a moment; then the window goes."""
        self.call = call
        self._stop()
        self.window.show_over(ended_words(call))
        self.changed.emit()
        if not self.window.isVisible():
            self._finish()
        else:
            QTimer.singleShot(OVER_MS, self, self._finish)

    def close(self) -> None:
        """Everything of this call goes now."""
        if self._closed:
            return
        self._closed = True
        self._stop()
        self.window.show_over("")
        self.window.close()
        self.window.deleteLater()

    def _finish(self) -> None:
        if self._closed:
            return
        self.close()
        self.closed.emit()

    def _stop(self) -> None:
        self._tick.stop()
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)
        self.pictures.stop()
        self.recording.close()
        self.sharing.close()
        self.beside.close()
        self.small.close()

    # --- what is shown

    def strip_state(self, now_s: float) -> StripState:
        """What the strip in the side bar shows."""
        conversation = self.model.conversations.get(self.call.conversation)
        place = place_words(self.model, conversation) if conversation else ""
        return strip_state(self.call, place, self.clock(now_s))

    def clock(self, now_s: float) -> str:
        """How long the call runs: between persons since somebody was first heard; in a channel by
        the starter's clock unless that is plainly another one."""
        if self.call.phase is not CallPhase.JOINED:
            return ""
        conversation = self.model.conversations.get(self.call.conversation)
        if conversation is not None and conversation.kind is not ConversationKind.CHANNEL:
            heard_at = self._heard_at
            return "" if heard_at is None else clock_words(round(time.monotonic() - heard_at))
        here = time.monotonic() - self._began
        since = now_s - self.call.started_at_ms / 1000
        return clock_words(round(since if here <= since < 24 * 3600 else here))

    def _show_time(self) -> None:
        self.window.time.setText(self.clock(time.time()))

    def _show_bar(self) -> None:
        call = self.call
        state = BarState(
            call.microphone,
            call.camera,
            call.hand,
            self.beside.shows_chat,
            self.beside.shows_people,
            share=call.share is not None,
            paused=call.share is not None and call.share.paused,
            push_to_talk=self.choice.push_to_talk,
        )
        self.window.bar.show_state(state)
        self.small.show_call(call, self.front())

    def below(self, control: QWidget) -> QPoint:
        """Where a menu of a control opens."""
        return control.mapToGlobal(QPoint(0, control.height() + 2))

    def _show_tiles(self, plan: Plan) -> None:
        def show(calls: Calls) -> memoryview | None:
            calls.show_tiles(plan)
            return calls.memory()

        self.line.read(show, self.pictures.take_memory)
