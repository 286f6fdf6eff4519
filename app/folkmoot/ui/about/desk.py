"""Decides about the dialog on this program and the card of a newer version."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from folkmoot.domain.errors import FolkmootError
from folkmoot.resources import licence_paths
from folkmoot.ui.about.dialog import AboutDialog, LicencesDialog
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.facade import Node
from folkmoot.ui.model import WindowModel
from folkmoot.ui.theme.theme import Theme


class About(QObject):
    """Made once for a window."""

    notes_wanted = Signal(str)
    """The address with what is new: to be shown before it is opened."""

    def __init__(
        self, shell: QWidget, theme: Theme, model: WindowModel, bridge: Bridge, profile: Path
    ) -> None:
        super().__init__()
        self._shell = shell
        self._theme = theme
        self._model = model
        self._bridge = bridge
        self._profile = profile
        self.dialog: AboutDialog | None = None
        model.updates_changed.connect(self._updates_changed)

    def open(self) -> None:
        """Show the dialog."""
        if self.dialog is not None:
            return
        dialog = self.dialog = AboutDialog(self._shell, self._theme, self._profile)
        dialog.finished.connect(self._closed)
        dialog.licences_pressed.connect(self._show_licences)
        dialog.on_wanted.connect(lambda address: self._do(lambda n: n.updates.turn_on(address)))
        dialog.off_wanted.connect(lambda: self._do(lambda n: n.updates.turn_off()))
        dialog.look_wanted.connect(lambda: self._do(_look))
        dialog.notes_wanted.connect(dialog.accept)
        dialog.notes_wanted.connect(self.notes_wanted)
        dialog.show_updates(self._model.updates)
        dialog.open()

    def dismiss(self, version: str) -> None:
        """Say no more of a version."""
        self._bridge.tell(lambda node: node.updates.dismiss(version))

    def _closed(self) -> None:
        self.dialog = None

    def _updates_changed(self) -> None:
        if self.dialog is not None:
            self.dialog.show_updates(self._model.updates)

    def _do(self, act: Callable[[Node], Awaitable[object]]) -> None:
        async def work() -> None:
            try:
                await self._bridge.ask(act)
            except FolkmootError as error:
                if self.dialog is not None:
                    self.dialog.say_problem(str(error))

        self._bridge.run(work(), "ui: act about new versions")

    def _show_licences(self) -> None:
        async def work() -> None:
            text = await asyncio.to_thread(_read_licences)
            if self.dialog is not None:
                LicencesDialog(self.dialog, self._theme, text).open()

        self._bridge.run(work(), "ui: read licences")


async def _look(node: Node) -> None:
    node.updates.look()


def _read_licences() -> str:
    """Every licence that came with the program, one below the other."""
    paths = licence_paths()
    texts = [path.read_text("utf-8", "replace").strip() for path in paths]
    if len(texts) == 1:
        return texts[0]
    names = [path.name for path in paths]
    return "\n\n\n".join(f"{n}\n{'=' * len(n)}\n\n{t}" for n, t in zip(names, texts, strict=True))
