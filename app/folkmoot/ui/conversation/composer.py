"""The composer: a card with what one answers or edits, the text, its buttons and one state line.

Decides nothing: texts and acts leave as signals.
"""

from __future__ import annotations

import enum

from PySide6.QtCore import QEvent, QObject, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent, QPen, QShortcut
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.ui.conversation.editor import Editor
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind, IconButton
from folkmoot.ui.widgets.surfaces import IconLabel
from folkmoot.ui.widgets.text import ElidedText, Text


class About(enum.Enum):
    """What the text in the composer will become; the value is the icon."""

    NEW = ""
    REPLY = "reply"
    EDIT = "pencil"


class Composer(QWidget):
    """`compact` is the one of the thread pane."""

    sent = Signal()
    changed = Signal()
    about_dropped = Signal()
    last_wanted = Signal()
    paste_refused = Signal(int)
    emoji_wanted = Signal(QRect)

    def __init__(self, theme: Theme, *, compact: bool = False) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(self.tr("Composer"))
        outer = QVBoxLayout(self)
        edge = 12 if compact else 20
        outer.setContentsMargins(edge, 0, edge, 14)
        outer.setSpacing(4)
        self._card = _Card(theme)
        inner = QVBoxLayout(self._card)
        inner.setContentsMargins(12, 8, 8, 8)
        inner.setSpacing(4)
        inner.addWidget(self._build_about())
        self.editor = Editor(theme)
        self.editor.setAccessibleName(self.tr("Message"))
        self.editor.installEventFilter(self)
        inner.addWidget(self.editor)
        inner.addLayout(self._build_buttons(compact))
        outer.addWidget(self._card)
        self.also = QCheckBox(self.tr("Also send to the channel"))
        self.also.setFont(theme.font(TextStyle.META))
        self.also.setVisible(False)
        outer.addWidget(self.also)
        self.state = Text("", theme, TextStyle.META, "mute", wrap=True)
        self.state.setVisible(False)
        outer.addWidget(self.state)
        self.editor.sent.connect(self.sent)
        self.editor.textChanged.connect(self._changed)
        self.editor.escaped.connect(self.about_dropped)
        self.editor.last_wanted.connect(self.last_wanted)
        self.editor.refused.connect(self.paste_refused)
        self.setFocusProxy(self.editor)
        self._changed()

    def _build_about(self) -> QWidget:
        self._about = QWidget()
        line = QHBoxLayout(self._about)
        line.setContentsMargins(0, 0, 0, 2)
        line.setSpacing(8)
        self._about_icon = IconLabel("reply", self._theme, token="accent", size=14)
        self._about_words = ElidedText("", self._theme, TextStyle.META, "mute")
        drop = IconButton("x", self.tr("Cancel (Esc)"), self._theme, side=28, icon_size=14)
        drop.clicked.connect(self.about_dropped)
        line.addWidget(self._about_icon)
        line.addWidget(self._about_words, 1)
        line.addWidget(drop)
        self._about.hide()
        return self._about

    def _build_buttons(self, compact: bool) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        marks = (
            ("bold", self.tr("Bold"), "Ctrl+B", lambda: self.editor.wrap("**")),
            ("italic", self.tr("Italic"), "Ctrl+I", lambda: self.editor.wrap("*")),
            ("code", self.tr("Code"), "Ctrl+E", lambda: self.editor.wrap("`", block="```")),
        )
        for icon, name, keys, act in marks:
            shortcut = QShortcut(QKeySequence(keys), self.editor)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(act)
            button = self._button(icon, f"{name} ({keys})")
            button.clicked.connect(act)
            button.clicked.connect(self._to_editor)
            line.addWidget(button)
        self.emoji = self._button("smile", self.tr("Emoji"))
        self.emoji.clicked.connect(self._want_emoji)
        line.addWidget(self.emoji)
        line.addStretch(1)
        self.send = Button(self.tr("Send"), self._theme, ButtonKind.PRIMARY, height=28)
        self.send.clicked.connect(self.sent)
        self.send.clicked.connect(self._to_editor)
        line.addWidget(self.send)
        return line

    def _button(self, icon: str, name: str) -> IconButton:
        made = IconButton(icon, name, self._theme, side=30)
        if icon != "smile":
            made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return made

    def text(self) -> str:
        """What is written."""
        return self.editor.toPlainText()

    def put(self, text: str) -> None:
        """Show a text to go on with."""
        self.editor.put(text)

    def set_placeholder(self, words: str) -> None:
        """What stands in the empty field."""
        self.editor.setPlaceholderText(words)
        self.editor.setAccessibleName(words)

    def show_about(self, about: About, words: str) -> None:
        """Say what the text answers or changes."""
        self._about.setVisible(about is not About.NEW)
        self.editor.takes_escape = about is not About.NEW
        if about is not About.NEW:
            self._about_icon.set_icon(about.value, "accent")
            self._about_words.setText(words)
        self.send.setText(self.tr("Save") if about is About.EDIT else self.tr("Send"))
        self.send.setAccessibleName(self.send.text())
        self.send.updateGeometry()

    def say(self, words: str, *, bad: bool = False) -> None:
        """Show a state, or nothing."""
        self.state.set_token("bad_text" if bad else "mute")
        self.state.setText(words)
        self.state.setVisible(bool(words))

    def _changed(self) -> None:
        self.send.setEnabled(bool(self.text().strip()))
        self.changed.emit()

    def _want_emoji(self) -> None:
        corner = self.emoji.mapToGlobal(self.emoji.rect().topLeft())
        self.emoji_wanted.emit(QRect(corner, self.emoji.size()))

    def _to_editor(self) -> None:
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The card shows whether the text has the focus."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._card.set_focused(event.type() == QEvent.Type.FocusIn)
        return False


class _Card(QWidget):
    """The rounded edge around the text; accent while one writes."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._focused = False

    def set_focused(self, on: bool) -> None:
        """The cursor is inside, or is not."""
        self._focused = on
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the edge."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("accent" if self._focused else "edge"), 1))
        painter.setBrush(self._theme.colour("panel"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 12, 12)
