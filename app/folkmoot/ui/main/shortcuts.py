"""The keys of the main window: F6 walks its regions, Alt with arrows the conversations, and
Ctrl+Shift+D opens the connection doctor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from folkmoot.ui.main.presenter import MainPresenter


class Shortcuts(QObject):
    """Made once for a window."""

    def __init__(self, presenter: MainPresenter, window: QWidget) -> None:
        super().__init__(window)
        self._presenter = presenter
        self._window = window
        view = presenter.view
        self._add(view, "Alt+Up", lambda: presenter.step(-1))
        self._add(view, "Alt+Down", lambda: presenter.step(1))
        self._add(view, "F6", lambda: self._walk(1))
        self._add(view, "Shift+F6", lambda: self._walk(-1))
        self._add(view, "Ctrl+Shift+D", lambda: presenter.connections.open_doctor())

    def _add(self, view: QWidget, keys: str, act: Callable[[], object]) -> None:
        shortcut = QShortcut(QKeySequence(keys), view)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(act)

    def _walk(self, by: int) -> None:
        """Focus to the next region: side bar, header, timeline, composer, right pane, who rings."""
        view = self._presenter.view
        regions: list[tuple[QWidget, QWidget | None]] = [
            (view.side_bar, None),
            (view.header, view.header.topic if view.header.topic.isEnabled() else None),
            (view.conversation.timeline, view.conversation.timeline),
            (view.conversation.composer, view.conversation.composer.editor),
        ]
        if view.conversation.is_empty:
            del regions[2]
        beside = self._presenter.beside
        if beside.shows_members:
            regions.append((view.right, view.right.members.invite))
        elif beside.replies is not None and beside.replies.place is not None:
            regions.append((view.right.replies.timeline, view.right.replies.timeline))
            regions.append((view.right.replies.composer, view.right.replies.composer.editor))
        ring = self._presenter.calls.ring_control
        if ring is not None:
            regions.append((ring, ring))
        focus = QApplication.focusWidget()
        at = next(
            (
                i
                for i, (region, _) in enumerate(regions)
                if focus is not None and (region is focus or region.isAncestorOf(focus))
            ),
            -1 if by > 0 else 0,
        )
        region, target = regions[(at + by) % len(regions)]
        if region is view.side_bar:
            if view.is_folded:
                view.open_side_bar()
            view.side_bar.take_focus()
        else:
            (target or view.header.members).setFocus(Qt.FocusReason.ShortcutFocusReason)
