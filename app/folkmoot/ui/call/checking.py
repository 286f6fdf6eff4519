"""Decides in the dialog of devices: opens it, asks the node for what it shows, keeps the choice."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from folkmoot.domain.errors import FolkmootError
from folkmoot.services import events as told
from folkmoot.services.call_values import MediaChoice, MediaDevices
from folkmoot.ui.call.check import CheckDialog
from folkmoot.ui.call.line import Line
from folkmoot.ui.call.pictures import Pictures, Plan
from folkmoot.ui.facade import Calls
from folkmoot.ui.theme.theme import DarkTheme, Theme


class Checking(QObject):
    """At most one dialog: a look before joining, or the settings of calls."""

    choice_changed = Signal(object)

    def __init__(self, theme: Theme, dark: DarkTheme, line: Line) -> None:
        super().__init__()
        self._theme = theme
        self._dark = dark
        self._line = line
        self.dialog: CheckDialog | None = None
        self._pictures: Pictures | None = None

    def open(
        self,
        over: QWidget,
        act: str = "",
        go: Callable[[bool], None] = lambda _: None,
        *,
        in_call: bool,
        dark: bool = False,
    ) -> None:
        """Show it over a window. `go` is called with whether the camera is on, once `act` is
        pressed; `in_call`: the call has the devices; `dark`: the window is that of a call."""
        if self.dialog is not None:
            self.dialog.raise_()
            return
        dialog = CheckDialog(over, self._dark if dark else self._theme, self._dark, act)
        if dark:
            self._dark.dress(dialog)
        pictures = Pictures(self._show_tiles, dialog)
        if in_call:
            dialog.begin_in_call()
        else:
            dialog.begin(pictures)
        self._pictures, self.dialog = pictures, dialog

        def wanted() -> None:
            on = dialog.camera_on
            dialog.accept()
            go(on)

        def ended() -> None:
            self.dialog = self._pictures = None
            if not in_call:
                pictures.stop()
                self._line.do(lambda calls: calls.check(False))

        dialog.submitted.connect(wanted)
        dialog.finished.connect(ended)
        dialog.choice_changed.connect(self._keep_choice)
        dialog.check_wanted.connect(self._run_check)
        self._line.read(lambda calls: calls.choice(), self._show_choice)
        self._line.do(lambda calls: calls.devices(), self._show_devices, self._say_problem)
        dialog.open()
        if not in_call:
            dialog.want_check()

    def take(self, event: told.Event) -> None:
        """What is told of devices."""
        if self.dialog is not None:
            self.dialog.take(event)

    def show_level(self, level: float) -> None:
        """How loud the microphone of the call hears."""
        if self.dialog is not None:
            self.dialog.meter.show_level(level)

    def close(self) -> None:
        """The window that it stands over goes."""
        if self.dialog is not None:
            self.dialog.reject()

    def _show_choice(self, choice: MediaChoice) -> None:
        if self.dialog is not None:
            self.dialog.show_choice(choice)

    def _show_devices(self, devices: MediaDevices) -> None:
        if self.dialog is not None:
            self.dialog.show_devices(devices)

    def _say_problem(self, error: FolkmootError) -> None:
        if self.dialog is not None:
            self.dialog.say_problem(str(error))

    def _keep_choice(self, choice: MediaChoice) -> None:
        self._line.do(lambda calls: calls.set_choice(choice), failed=self._say_problem)
        self.choice_changed.emit(choice)

    def _run_check(self, loopback: bool, test_sound: bool, camera: bool) -> None:
        self._line.do(
            lambda calls: calls.check(
                True, loopback=loopback, test_sound=test_sound, camera=camera
            ),
            lambda _: self._line.read(lambda calls: calls.memory(), self._take_memory),
            self._say_problem,
        )

    def _take_memory(self, memory: memoryview | None) -> None:
        if self._pictures is not None:
            self._pictures.take_memory(memory)

    def _show_tiles(self, plan: Plan) -> None:
        def show(calls: Calls) -> memoryview | None:
            calls.show_tiles(plan)
            return calls.memory()

        self._line.read(show, self._take_memory)
