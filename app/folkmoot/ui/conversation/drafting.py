"""Keeps unsent texts: in memory at once, on disk within a second, for every place.

Decides when to save; knows no widget.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from folkmoot.services.values import Draft
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.facade import Node
from folkmoot.ui.model import Place, WindowModel

SAVE_MS = 600
"""From the first letter that is not saved; a loss is never older than a second."""


class Drafting(QObject):
    """The drafts of the window, shared by channel and thread."""

    began_or_ended = Signal()
    """A place has a draft now, or has none any more."""

    def __init__(self, model: WindowModel, bridge: Bridge) -> None:
        super().__init__()
        self._model = model
        self._bridge = bridge
        self._unsaved: set[Place] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_MS)
        self._timer.timeout.connect(self.save)

    def of(self, place: Place) -> str:
        """The draft of a place, empty if there is none."""
        return self._model.drafts.get(place, "")

    def note(self, place: Place, text: str) -> None:
        """Remember what is typed now."""
        before = self.of(place)
        if before == text:
            return
        self._model.note_draft(place, text)
        self._unsaved.add(place)
        if not self._timer.isActive():
            self._timer.start()
        if bool(before.strip()) != bool(text.strip()):
            self.began_or_ended.emit()

    def save(self) -> None:
        """Write what is not on disk yet."""
        self._timer.stop()
        unsaved, self._unsaved = self._unsaved, set()
        for conversation, thread in unsaved:
            draft = Draft(conversation, thread, self.of((conversation, thread)))

            async def save(node: Node, draft: Draft = draft) -> None:
                await node.drafts.save(draft)

            self._bridge.tell(save)
