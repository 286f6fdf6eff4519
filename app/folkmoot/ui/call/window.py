"""The window of a call: head, calm lines, stage with a panel beside it, bar. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from folkmoot.ui.call.controls import CallBar, Chip, HeadButton
from folkmoot.ui.call.panel import Panel
from folkmoot.ui.call.pictures import Pictures
from folkmoot.ui.call.stage import Stage
from folkmoot.ui.recording.sign import RecordSign
from folkmoot.ui.share.boards import Boards
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import DarkTheme
from folkmoot.ui.widgets.buttons import Button
from folkmoot.ui.widgets.surfaces import Banner, IconLabel, Tone
from folkmoot.ui.widgets.text import ElidedText, Text

HEAD_HEIGHT = 52
PANEL_WIDTH = 330
COVER_BELOW = 900
_CHIP_FROM = 560
_TIME_FROM = 480
NOTE_MS = 8000
"""How long a line stands that asks for nothing."""
LEAST = QSize(400, 360)
DEFAULT = QSize(1120, 700)


class _Middle(QWidget):
    """The room for stage and panel; tells when it changes."""

    resized = Signal()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lines above came or went, or the window changed."""
        super().resizeEvent(event)
        self.resized.emit()


class CallWindow(QWidget):
    """Own top-level window, dark in both themes."""

    closed_by_hand = Signal()
    """Its X was pressed: the window is hidden, the call goes on."""
    mute_wanted = Signal()
    talk_held = Signal(bool)
    """Space is held down, or let go, where push to talk was chosen."""
    layout_pressed = Signal()
    compact_pressed = Signal()
    more_pressed = Signal()
    ring_pressed = Signal()
    """Alone where nobody is rung: show who could be."""
    panel_dropped = Signal()
    """Escape, while a panel stands beside the stage."""
    seen_changed = Signal()
    """Shown, hidden, minimised."""
    share_wanted = Signal()
    full_wanted = Signal()

    def __init__(self, theme: DarkTheme, pictures: Pictures, boards: Boards) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.theme = theme
        self._dress()
        theme.changed.connect(self._dress)
        self.push_to_talk = False
        self._talks = False
        self._over = False
        self._panel: Panel | None = None
        self._notices: dict[str, Banner] = {}
        self._kept: list[QWidget] = []
        self.setMinimumSize(LEAST)
        self.resize(DEFAULT)
        self.bar = CallBar(theme)
        self.stage = Stage(theme, pictures, boards)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._build_head())
        self._lines = QVBoxLayout()
        self._lines.setContentsMargins(12, 0, 12, 0)
        self._lines.setSpacing(6)
        column.addLayout(self._lines)
        self._middle = _Middle()
        self._middle.resized.connect(self._place)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.stage)
        self._stack.addWidget(self._build_end())
        holder = QWidget(self._middle)
        holder.setLayout(self._stack)
        self._holder = holder
        column.addWidget(self._middle, 1)
        column.addWidget(self.bar)
        for keys, wanted in (
            ("Ctrl+Shift+M", self.mute_wanted),
            ("Ctrl+Shift+E", self.share_wanted),
            ("F11", self.full_wanted),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(wanted)
        for keys, step in (("F6", 1), ("Shift+F6", -1)):
            walk = QShortcut(QKeySequence(keys), self)
            walk.activated.connect(lambda step=step: self._walk(step))

    def _dress(self) -> None:
        self.theme.dress(self)

    def _build_head(self) -> QWidget:
        head = QWidget()
        head.setFixedHeight(HEAD_HEIGHT)
        line = QHBoxLayout(head)
        line.setContentsMargins(20, 0, 12, 0)
        line.setSpacing(12)
        name = QHBoxLayout()
        name.setSpacing(4)
        self._sign = IconLabel("hash", self.theme, token="ink")
        self.title = ElidedText("", self.theme, TextStyle.STRONG)
        name.addWidget(self._sign)
        name.addWidget(self.title)
        line.addLayout(name)
        self.time = Text("", self.theme, TextStyle.LABEL, "mute")
        self.chip = Chip("lock", "", self.theme)
        self.locked = Chip("lock", "", self.theme, "away_text")
        self.recorded = RecordSign(self.theme)
        for part in (self.time, self.recorded, self.chip, self.locked):
            line.addWidget(part)
        self.line = ElidedText("", self.theme, TextStyle.LABEL, "mute")
        line.addWidget(self.line)
        self.ring = Button(self.tr("Ring somebody…"), self.theme, icon="phone", height=36)
        self.ring.clicked.connect(self.ring_pressed)
        self.ring.hide()
        line.addWidget(self.ring)
        line.addStretch(1)
        self.layouts = HeadButton("layout-grid", self.tr("Layout"), self.theme)
        self.compact = HeadButton("picture-in-picture-2", self.tr("Small view"), self.theme)
        self.more = HeadButton("ellipsis", "", self.theme)
        self.more.setAccessibleName(self.tr("More about the call"))
        self.more.setToolTip(self.tr("More about the call"))
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button, pressed in (
            (self.layouts, self.layout_pressed),
            (self.compact, self.compact_pressed),
            (self.more, self.more_pressed),
        ):
            button.clicked.connect(pressed)
            buttons.addWidget(button)
        line.addLayout(buttons)
        return head

    def _build_end(self) -> QWidget:
        end = QWidget()
        column = QVBoxLayout(end)
        column.addStretch(1)
        centre = Qt.AlignmentFlag.AlignHCenter
        column.addWidget(IconLabel("phone-off", self.theme, token="mute", size=28), 0, centre)
        column.addSpacing(10)
        self.ending = Text("", self.theme, TextStyle.TITLE, wrap=True)
        self.ending.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self.ending)
        column.addStretch(1)
        return end

    # --- what is shown

    def show_title(self, name: str, *, is_channel: bool) -> None:
        """The conversation of the call."""
        self._sign.setVisible(is_channel)
        self.title.setText(name.removeprefix("#") if is_channel else name)
        self.setWindowTitle(self.tr("{place}: call").format(place=name))

    def show_way(self, words: str) -> None:
        """How media goes, and that it is encrypted."""
        self.chip.show_words("lock", words)
        self.chip.setVisible(bool(words) and self.width() >= _CHIP_FROM)

    def show_notice(
        self,
        code: str,
        words: str,
        *,
        bad: bool = False,
        act: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        """A calm line under the head; empty words take it away. `act`: its button."""
        banner = self._notices.get(code)
        if not words:
            if banner is not None:
                del self._notices[code]
                banner.hide()
                banner.deleteLater()
            self._settle()
            return
        if banner is None:
            tone = Tone.WARNING if bad else Tone.INFO
            banner = Banner(words, self.theme, tone, act=act[0] if act else "")
            self._notices[code] = banner
            banner.closed.connect(lambda: self.show_notice(code, ""))
            if act is not None:
                banner.acted.connect(act[1])
            self._lines.addWidget(banner)
            if not bad:
                QTimer.singleShot(NOTE_MS, banner, lambda: self.show_notice(code, ""))
        banner.set_text(words)
        self._settle()

    def notices(self) -> tuple[str, ...]:
        """The lines under the head."""
        return tuple(banner.accessibleName() for banner in self._notices.values())

    def put_line(self, line: QWidget) -> None:
        """Something that stays under the head until it is dropped."""
        self._kept.append(line)
        self._lines.insertWidget(0, line)
        self._settle()

    def drop_line(self, line: QWidget) -> None:
        """Take it away again."""
        self._kept.remove(line)
        line.hide()
        line.deleteLater()
        self._settle()

    def _settle(self) -> None:
        below = 8 if self._notices or self._kept else 0
        self._lines.setContentsMargins(12, 0, 12, below)

    def show_panel(self, panel: Panel | None) -> None:
        """What stands beside the stage; below 900 px it covers it."""
        if self._panel is not None and self._panel is not panel:
            self._panel.hide()
        self._panel = panel
        if panel is not None:
            panel.setParent(self._middle)
            panel.show()
        self._place()

    @property
    def panel(self) -> Panel | None:
        """What stands beside the stage now."""
        return self._panel

    def show_over(self, words: str) -> None:
        """The call is over: why, in words; nothing is left to press."""
        self._over = True
        self.ending.setText(words)
        self.setAccessibleDescription(words)
        self.show_panel(None)
        self._stack.setCurrentIndex(1)
        self.bar.hide()
        for button in (self.layouts, self.compact, self.more, self.ring):
            button.hide()
        self.line.setText("")

    @property
    def is_over(self) -> bool:
        """Whether only the reason of the end is shown."""
        return self._over

    def come_forward(self) -> None:
        """Show it over the others."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    # --- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space talks where that was chosen; Escape closes a panel and never hangs up."""
        if event.key() == Qt.Key.Key_Escape and self._panel is not None:
            self.panel_dropped.emit()
        else:
            super().keyPressEvent(event)

    def _walk(self, step: int) -> None:
        """F6: head, stage, panel, bar."""
        head, panel = self.layouts.parentWidget(), self._panel
        tiles = [tile for tile in self.stage.tiles.values() if tile.isVisible()]
        regions: list[tuple[QWidget | None, QWidget]] = [(head, self.layouts)]
        regions += [(self.stage, tiles[0])] if tiles else []
        regions += [(panel, panel.close_button)] if panel is not None else []
        regions.append((self.bar, self.bar.microphone))
        focus = self.focusWidget()
        here = next(
            (n for n, (part, _) in enumerate(regions) if part and part.isAncestorOf(focus)),
            -1 if step > 0 else 0,
        )
        regions[(here + step) % len(regions)][1].setFocus(Qt.FocusReason.TabFocusReason)

    def take_talk_key(self, event: QKeyEvent, down: bool) -> bool:
        """Whether a key of any part of the window was for talking."""
        if not self.push_to_talk or event.key() != Qt.Key.Key_Space or event.modifiers():
            return False
        focus = self.focusWidget()
        if down and isinstance(focus, (QLineEdit, QPlainTextEdit)):
            return False
        if not event.isAutoRepeat() and down != self._talks:
            self._talks = down
            self.talk_held.emit(down)
        return True

    def let_go(self) -> None:
        """Space is not held any more, wherever it was let go."""
        if self._talks:
            self._talks = False
            self.talk_held.emit(False)

    # --- the window

    def _place(self) -> None:
        width, height = self._middle.width(), self._middle.height()
        inset = 12 if width >= 600 else 8
        if self._panel is None:
            self._holder.show()
            self._holder.setGeometry(inset, 0, width - 2 * inset, height)
            return
        covers = width < COVER_BELOW
        pane = min(PANEL_WIDTH, width - 2 * inset) if width >= 600 else width - 2 * inset
        stage = width - 2 * inset - (0 if covers else pane + 12)
        self._holder.setGeometry(inset, 0, stage, height)
        self._holder.setVisible(pane < width - 2 * inset)  # pictures nobody sees cost the most
        self._panel.setGeometry(QRect(width - inset - pane, 0, pane, height))
        self._panel.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place stage and panel anew; words in the head go when it gets narrow."""
        super().resizeEvent(event)
        for button in (self.layouts, self.compact):
            button.set_wide(self.width() >= 820)
        self.chip.setVisible(bool(self.chip.text()) and self.width() >= _CHIP_FROM)
        self._fit_head()

    def show_recorded(self, words: str) -> None:
        """Who records, in words; empty: nobody."""
        self.recorded.show_words(words)
        self._fit_head()

    def _fit_head(self) -> None:
        """The time goes before what must be seen is cut."""
        full = bool(self.recorded.text() and self.locked.text())
        self.time.setVisible(not full or self.width() >= _TIME_FROM)

    def changeEvent(self, event: QEvent) -> None:
        """Minimised, or back; no longer the active one."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.seen_changed.emit()
        elif event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.let_go()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The X hides the window of a call that goes on."""
        if self._over:
            super().closeEvent(event)
            return
        event.ignore()
        self.hide()
        self.closed_by_hand.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground."""
        QPainter(self).fillRect(self.rect(), self.theme.colour("side"))
