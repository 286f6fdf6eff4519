"""What shall be shared: screens, windows, a part of a screen, and the computer's sound.

Where the desktop has a picker of its own it is used and not imitated.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QScrollArea, QWidget

from folkmoot.services.call_values import ShareChoice, ShareSource, ShareSources
from folkmoot.ui.call.pictures import Pictures
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.share.sources import REGION, SourceList
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.fields import Switch
from folkmoot.ui.widgets.surfaces import EmptyState
from folkmoot.ui.widgets.text import Text

WIDTH, SMALL = 760, 480
"""With cards, and without."""
_HIGH = 680
"""The dialog may be higher than a small window of a call."""
OURS = ("", "folkmoot")
"""What a window of this program says of its program."""
_LEAST_ID = 0x1000
"""Numbers below are counted from one by who made them, and name no window of the system."""


class Picker(Form):
    """The dialog; `chosen` gives a `ShareChoice`, `region_wanted` whether sound goes with it."""

    chosen = Signal(object)
    region_wanted = Signal(bool)

    def __init__(self, parent: QWidget, theme: Theme, pictures: Pictures, *, other: bool) -> None:
        title = parent.tr("Share something else") if other else parent.tr("Share")
        super().__init__(parent, theme, title, act=parent.tr("Share"))
        self._pictures = pictures
        self._sources = ShareSources()
        self.looking = Text(self.tr("Looking for screens and windows…"), theme, token="mute")
        self.body.addWidget(self.looking)
        self.list = SourceList(theme, pictures)
        self._area = QScrollArea()
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(self.list)
        self._area.viewport().setAutoFillBackground(False)
        self.list.setAutoFillBackground(False)
        self._area.hide()
        self.body.addWidget(self._area)
        self.platform = Text("", theme, TextStyle.BODY, "mute", wrap=True)
        self.platform.hide()
        self.body.addWidget(self.platform)
        self.empty: EmptyState | None = None
        self.sound = Switch(
            self.tr("Share the computer’s sound"),
            self.tr("Everybody hears what plays here. The call itself is left out."),
            theme,
        )
        self.sound.hide()
        self.body.addWidget(self.sound)
        self.act.setEnabled(False)
        self.submitted.connect(self._take)
        self.list.chosen.connect(self._allow)
        self.list.taken.connect(self._submit)
        self.list.walked_to.connect(self._area.ensureWidgetVisible)

    # --- what is told

    def show_sources(self, sources: ShareSources) -> None:
        """What can be shared now."""
        self._sources = sources
        self.looking.hide()
        self.sound.setVisible(
            sources.sound and bool(sources.platform or sources.rows or sources.regions)
        )
        is_list = not sources.platform and bool(sources.rows or sources.regions)
        self.act.setVisible(is_list or sources.platform)
        parent = self.parentWidget()
        room = parent.width() - 40 if parent is not None else WIDTH
        self.setFixedWidth(min(WIDTH if is_list else SMALL, max(320, room)))
        self._area.setVisible(is_list)
        if sources.platform:
            words = self.tr("Your desktop asks in a window of its own what you want to share.")
            self.platform.setText(words)
            self.act.setText(self.tr("Choose…"))
        else:
            self.list.show_rows(sources.rows, regions=sources.regions)
        self.platform.setVisible(sources.platform)
        self._show_empty(not is_list and not sources.platform)
        self._allow()
        self.fit()

    def say_problem(self, words: str) -> None:
        """What went wrong; it can be tried again."""
        self.looking.hide()
        super().say_problem(words)
        self._allow()

    def _show_empty(self, on: bool) -> None:
        if on and self.empty is None:
            self.empty = EmptyState(
                "monitor-up",
                self.tr("Nothing to share was found"),
                self.tr("This computer shows no screen and no window that can be shared."),
                self.theme,
            )
            self.empty.setFixedHeight(240)
            self.body.insertWidget(0, self.empty)
        if self.empty is not None:
            self.empty.setVisible(on)

    # --- acts

    def _allow(self) -> None:
        choice = self.list.choice
        platform = self._sources.platform
        self.act.setEnabled(platform or choice is not None)
        if not platform:
            part = choice is not None and choice.kind == REGION
            self.act.setText(self.tr("Choose the part…") if part else self.tr("Share"))

    def _take(self) -> None:
        sound = self._sources.sound and self.sound.isChecked()
        if self._sources.platform:
            self.set_busy(True)
            self.chosen.emit(ShareChoice("platform", sound=sound))
            return
        source = self.list.choice
        if source is None:
            return
        if source.kind == REGION:
            self.region_wanted.emit(sound)
            return
        self.set_busy(True)
        self.chosen.emit(ShareChoice(source.kind, source.id, sound=sound))

    def open(self) -> None:
        """Show it; a card takes the focus once there is one."""
        super().open()
        self.close_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _fit(self) -> None:
        self.list.place()
        screen, parent = self.screen().availableGeometry(), self.parentWidget()
        around = 230 if self.sound.isVisible() else 170
        over = parent.height() if parent is not None else 0
        room = min(max(over, _HIGH), screen.height()) - around
        self._area.setFixedHeight(max(160, min(self.list.height(), room)))
        super()._fit()
        if parent is not None and self.isVisible():
            # It was small while it looked for sources: it grows to all sides.
            box = self.frameGeometry()
            box.moveCenter(parent.window().frameGeometry().center())
            left = min(screen.right() - box.width(), max(screen.left(), box.left()))
            top = min(screen.bottom() - box.height(), max(screen.top(), box.top()))
            self.move(left, top)


def without_own(
    sources: ShareSources, ids: Collection[int], titles: Collection[str]
) -> ShareSources:
    """The same without windows of this program: `ids` and `titles` are those of its own."""

    def is_own(row: ShareSource) -> bool:
        if row.kind != "window":
            return False
        if any(_names(row.id, id_) for id_ in ids):
            return True
        return row.name in titles and row.application.casefold() in OURS

    return replace(sources, rows=tuple(row for row in sources.rows if not is_own(row)))


def _names(source: str, id_: int) -> bool:
    """Whether the id of a source ends in the number of a window, in decimal or hexadecimal."""
    tail = source.replace("-", ":").rsplit(":", 1)[-1].lower()
    try:
        return id_ >= _LEAST_ID and int(tail, 0) == id_
    except ValueError:
        return False


def own_windows() -> tuple[set[int], set[str]]:
    """Numbers and titles of the windows of this program."""
    windows = [w for w in QGuiApplication.topLevelWindows() if w.isVisible()]
    return {int(w.winId()) for w in windows}, {w.title() for w in windows if w.title()}
