"""Decides in the picker: asks what can be shared while it is open, and shares what is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from folkmoot.domain.errors import FolkmootError
from folkmoot.services.call_values import ShareChoice, ShareSources
from folkmoot.ui.call.line import Line
from folkmoot.ui.share.picker import Picker, own_windows, without_own
from folkmoot.ui.share.places import Place
from folkmoot.ui.share.region import RegionChoice

if TYPE_CHECKING:
    from folkmoot.ui.call.room import Room

_GONE_MS = 200
"""The dialog leaves the display before a picture of that is taken."""


class Picking(QObject):
    """At most one picker, or one choice of a region."""

    def __init__(self, room: Room, line: Line) -> None:
        super().__init__(room)
        self._room = room
        self._line = line
        self.dialog: Picker | None = None
        self.region: RegionChoice | None = None

    def open(self) -> None:
        """Show the picker over the window of the call."""
        if self.dialog is not None:
            self.dialog.raise_()
            return
        if self.region is not None:
            return
        room = self._room
        room.show()
        other = room.call.share is not None
        dialog = Picker(room.window, room.theme, room.pictures, other=other)
        room.theme.dress(dialog)
        self.dialog = dialog
        dialog.chosen.connect(self._share)
        dialog.region_wanted.connect(self._choose_region)
        dialog.finished.connect(self._ended)
        self._line.do(lambda calls: calls.watch_sources(True), self.show_sources, self._say_problem)
        dialog.open()

    def show_sources(self, sources: ShareSources) -> None:
        """What can be shared now."""
        if self.dialog is not None:
            self.dialog.show_sources(without_own(sources, *own_windows()))

    def close(self) -> None:
        """The call is over."""
        if self.dialog is not None:
            self.dialog.reject()
        if self.region is not None:
            self.region.end()

    def _ended(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.list.leave()
        self._line.do(lambda calls: calls.watch_sources(False))

    def _say_problem(self, error: FolkmootError) -> None:
        if self.dialog is not None:
            self.dialog.say_problem(str(error))
        else:
            self._room.say_problem(error)

    def _share(self, choice: ShareChoice) -> None:
        id_ = self._room.call.id
        if self._room.call.share is not None:
            self._room.sharing.clear()  # what was drawn belongs to what was shared before

        def shared(_: object) -> None:
            if self.dialog is not None:
                self.dialog.accept()

        self._line.do(lambda calls: calls.share(id_, choice), shared, self._say_problem)

    def _choose_region(self, sound: bool) -> None:
        if self.dialog is not None:
            self.dialog.accept()
        self.region = region = RegionChoice(self._room.theme, self)

        def chosen(place: Place) -> None:
            self._share(ShareChoice("region", region=place, sound=sound))

        def ended() -> None:
            self.region = None
            region.deleteLater()

        region.chosen.connect(chosen)
        region.ended.connect(ended)
        QTimer.singleShot(_GONE_MS, region, region.begin)
