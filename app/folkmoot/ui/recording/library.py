"""Decides about finished recordings: the list, what is played, what is deleted, where one jumps.

The window is made when it is first wanted, the player when the first recording is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Signal

from folkmoot.domain.errors import FolkmootError
from folkmoot.services.call_values import CallId, Recording
from folkmoot.services.events import RecordingsChanged
from folkmoot.ui.call.line import Line
from folkmoot.ui.facade import Node
from folkmoot.ui.main.state import place_words
from folkmoot.ui.model import WindowModel
from folkmoot.ui.recording.folder import choose_folder, open_elsewhere, show_in_folder
from folkmoot.ui.recording.quiet import quiet_multimedia
from folkmoot.ui.recording.state import RecordingState, recording_state
from folkmoot.ui.recording.window import RecordingsWindow
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.popover import MenuItem, build_menu

if TYPE_CHECKING:
    from folkmoot.ui.recording.player import Player


_SAME_MS = 15_000
"""The log is written after everybody was told, which may take seconds: so much later at most."""


class Library(QObject):
    """The recordings of this person, as long as the main window lives."""

    moment_wanted = Signal(bytes, object, str)
    """A conversation, a time in it (milliseconds), and words of a chapter that were said then or a
    little later (what a pause left out is not in the recording); "" for whatever was said."""

    def __init__(self, theme: Theme, dark: Theme, model: WindowModel, line: Line) -> None:
        super().__init__()
        self._theme = theme
        self._dark = dark
        self._model = model
        self._line = line
        self._held: dict[str, Recording] = {}
        self._deleting = ""
        self.window: RecordingsWindow | None = None
        self.player: Player | None = None
        model.conversations_changed.connect(self._show)

    # --- what is told

    def take(self, event: RecordingsChanged) -> None:
        """One is new, otherwise, or gone."""
        recording = event.recording
        if event.gone:
            self._held.pop(recording.id, None)
            if self._plays == recording.id:
                self._show_list()
        else:
            self._held[recording.id] = recording
        self._show()

    def _take_all(self, recordings: list[Recording]) -> None:
        self._held = {recording.id: recording for recording in recordings}
        self._show()

    def _show(self) -> None:
        if self.window is not None and self.window.isVisible():
            newest = sorted(self._held.values(), key=lambda r: -r.started_at_ms)
            self.window.show_recordings([self._state(recording) for recording in newest])

    def _state(self, recording: Recording) -> RecordingState:
        conversation = self._model.conversations.get(recording.conversation)
        place = place_words(self._model, conversation) if conversation is not None else ""
        return recording_state(recording, place, self._model.me)

    @property
    def _plays(self) -> str:
        state = self.player.state if self.player is not None else None
        return state.recording.id if state is not None else ""

    def refresh(self) -> None:
        """Events were lost: read the list anew, if it is looked at."""
        if self.window is not None and self.window.isVisible():
            self._read()

    # --- opening

    def open(self) -> None:
        """Show the list."""
        window = self._made()
        if not window.isVisible():
            window.show_list()
        window.come_forward()
        self._read()

    def play(self, id_: str) -> None:
        """Open the player with a recording."""
        self._made().come_forward()
        self._read(lambda: self._play(id_))

    def play_of(self, call: CallId, began_at_ms: int) -> None:
        """Open the player with the recording of a call that began at about a time."""

        def find() -> None:
            away = {
                one.id: abs(one.started_at_ms - began_at_ms)
                for one in self._held.values()
                if one.call == call
            }
            nearest = min(away, key=lambda id_: away[id_], default="")
            self._play(nearest if away.get(nearest, 0) <= _SAME_MS else "")

        self._made().come_forward()
        self._read(find)

    def _read(self, then: Callable[[], None] = lambda: None) -> None:
        def read(recordings: list[Recording]) -> None:
            self._take_all(recordings)
            then()

        async def ask(node: Node) -> list[Recording]:
            return list(await node.recordings.list())

        self._line.do_in(ask, read, self._say_problem)
        self._line.do_in(lambda node: node.recordings.folder(), self._show_folder)

    def _made(self) -> RecordingsWindow:
        if self.window is None:
            window = self.window = RecordingsWindow(self._theme)
            window.play_pressed.connect(self._play)
            window.folder_pressed.connect(lambda id_: show_in_folder(self._held[id_].path))
            window.delete_pressed.connect(self._ask_delete)
            window.deletion_confirmed.connect(self._delete)
            window.menu_wanted.connect(self._open_menu)
            window.folder_change_wanted.connect(self._change_folder)
            window.left.connect(self._left)
        return self.window

    def _play(self, id_: str) -> None:
        recording, window = self._held.get(id_), self._made()
        if recording is None:
            self._show_list()
            window.say_problem(self.tr("This recording is not in your list any more."))
            return
        if self.player is None:
            quiet_multimedia()
            from folkmoot.ui.recording.player import Player  # Qt's multimedia comes with it

            self.player = Player(self._theme, self._dark)
            self.player.back_pressed.connect(self._show_list)
            self.player.elsewhere_pressed.connect(self._open_elsewhere)
            self.player.message_wanted.connect(self._show_message)
        state = self._state(recording)
        window.setWindowTitle(self.tr("{title}: recording").format(title=state.title))
        window.show_player(self.player)
        self.player.open(state)

    def _show_list(self) -> None:
        came_from = self._plays
        if self.player is not None:
            self.player.close_file()
        if self.window is not None:
            self.window.show_list(came_from)

    def _left(self) -> None:
        """The window was closed: nothing plays on."""
        if self._plays:
            self._show_list()

    # --- acts

    def _open_menu(self, id_: str, where: QPoint) -> None:
        recording, window = self._held.get(id_), self._made()
        if recording is None:
            return
        state = self._state(recording)
        items = []
        if state.playable:
            items += [
                MenuItem(self.tr("Play"), lambda: self._play(id_), "play"),
                MenuItem(
                    self.tr("Open in another program"),
                    lambda: open_elsewhere(recording.path),
                    "external-link",
                ),
            ]
        if state.is_there:
            items.append(
                MenuItem(
                    self.tr("Show in folder"),
                    lambda: show_in_folder(recording.path),
                    "folder-open",
                )
            )
        if recording.conversation in self._model.conversations:
            items.append(
                MenuItem(
                    self.tr("Show the conversation then"),
                    lambda: self.moment_wanted.emit(
                        recording.conversation, recording.started_at_ms, ""
                    ),
                    "message-square",
                )
            )
        if recording.state != "recording":
            words = self.tr("Delete…") if state.is_there else self.tr("Take it off the list…")
            items += [
                MenuItem(""),
                MenuItem(words, lambda: self._ask_delete(id_), "trash-2", danger=True),
            ]
        build_menu(window, self._theme, items).popup(where)

    def _ask_delete(self, id_: str) -> None:
        recording = self._held.get(id_)
        if recording is None:
            return
        self._deleting = id_
        state = self._state(recording)
        words = self.tr("Delete the recording of {title}, {when}? The file goes too.")
        if not state.is_there:
            words = self.tr("Take the recording of {title}, {when}, off the list?")
        self._made().ask_delete(id_, words.format(title=state.title, when=state.when))

    def _delete(self) -> None:
        id_, self._deleting = self._deleting, ""
        self._line.do_in(lambda node: node.recordings.delete(id_), failed=self._say_problem)

    def _change_folder(self) -> None:
        def ask(now: str) -> None:
            choose_folder(self._made(), now, self._set_folder)

        self._line.do_in(lambda node: node.recordings.folder(), ask, self._say_problem)

    def _set_folder(self, path: str) -> None:
        def kept(_: object) -> None:
            if self.window is not None:
                self.window.say_problem("")
            self._show_folder(path)

        self._line.do_in(lambda node: node.recordings.set_folder(path), kept, self._say_problem)

    def _show_folder(self, path: str) -> None:
        if self.window is not None:
            self.window.show_folder(path)

    def _open_elsewhere(self) -> None:
        recording = self._held.get(self._plays)
        if recording is not None and self.player is not None:
            self.player.engine.pause()
            open_elsewhere(recording.path)

    def _show_message(self, seconds: float, said: str) -> None:
        """What was written at a time of the recording that plays."""
        recording = self._held.get(self._plays)
        if recording is not None and self.player is not None:
            self.player.engine.pause()
            at_ms = recording.started_at_ms + round(seconds * 1000)
            self.moment_wanted.emit(recording.conversation, at_ms, said)

    def _say_problem(self, error: FolkmootError) -> None:
        if self.window is not None:
            self.window.say_problem(str(error))

    def close(self) -> None:
        """The main window closes, and this one with it."""
        if self.player is not None:
            self.player.close_file()
        if self.window is not None:
            self.window.close()
            self.window.deleteLater()
            self.window = self.player = None
