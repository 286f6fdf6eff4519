"""Somebody rings: a quiet card over the window, and over everything while nobody looks at it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.avatar import Avatar
from folkmoot.ui.widgets.buttons import Button, ButtonKind, IconButton
from folkmoot.ui.widgets.fields import TextField
from folkmoot.ui.widgets.popover import paint_shadow
from folkmoot.ui.widgets.surfaces import Card
from folkmoot.ui.widgets.text import ElidedText, Text

WIDTH = 376
_EDGE = 20
_SHADE = 12
MESSAGE_LIMIT = 500


class RingCard(Card):
    """Who rings, and the four answers."""

    accepted = Signal(bool)
    """True: with the camera."""
    declined = Signal(str)
    """A message to go with it, or nothing."""

    def __init__(self, name: str, key: bytes, line: str, theme: Theme, *, video: bool) -> None:
        super().__init__(theme, ground="panel", radius=12)
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(f"{name} {line}")
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(Avatar(name, key, theme, side=44), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addStretch(1)
        words.addWidget(ElidedText(name, theme, TextStyle.TITLE))
        self.line = ElidedText(line, theme, TextStyle.LABEL, "mute")
        words.addWidget(self.line)
        words.addStretch(1)
        top.addLayout(words, 1)
        column.addLayout(top)
        holder = QWidget()
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(self._build_answers(theme, video=video))
        self._stack.addWidget(self._build_message(theme))
        column.addWidget(holder)
        self._problem = Text("", theme, TextStyle.META, "bad_text", wrap=True)
        self._problem.hide()
        column.addWidget(self._problem)

    def _build_answers(self, theme: Theme, *, video: bool) -> QWidget:
        answers = QWidget()
        line = QHBoxLayout(answers)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        kind = ButtonKind.PLAIN if video else ButtonKind.PRIMARY
        self.voice = Button(self.tr("Answer"), theme, kind, icon="phone", height=36)
        self.voice.setToolTip(self.tr("Answer with sound (Ctrl+Shift+A)"))
        self.voice.clicked.connect(lambda: self.accepted.emit(False))
        kind = ButtonKind.PRIMARY if video else ButtonKind.PLAIN
        self.video = Button(self.tr("Video"), theme, kind, icon="video", height=36)
        self.video.setAccessibleName(self.tr("Answer with video"))
        self.video.clicked.connect(lambda: self.accepted.emit(True))
        self.decline = Button(
            self.tr("Decline"), theme, ButtonKind.DANGER, icon="phone-off", height=36
        )
        self.decline.clicked.connect(lambda: self.declined.emit(""))
        self.message = IconButton(
            "message-square", self.tr("Decline with a message"), theme, side=36
        )
        self.message.clicked.connect(self._begin_message)
        for button in (self.voice, self.video, self.decline):
            line.addWidget(button)
        line.addStretch(1)
        line.addWidget(self.message)
        return answers

    def _build_message(self, theme: Theme) -> QWidget:
        message = QWidget()
        line = QHBoxLayout(message)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        self.words = TextField(
            self.tr("Message"),
            theme,
            placeholder=self.tr("I will call back in ten minutes."),
            max_length=MESSAGE_LIMIT,
            compact=True,
        )
        self.words.setFixedHeight(36)
        self.words.returnPressed.connect(self._send)
        self.send = Button(self.tr("Send"), theme, ButtonKind.PRIMARY, height=36)
        self.send.clicked.connect(self._send)
        line.addWidget(self.words, 1)
        line.addWidget(self.send)
        return message

    def say_problem(self, words: str) -> None:
        """What went wrong; it can be tried again."""
        self._problem.setText(words)
        self._problem.setVisible(bool(words))
        self.adjustSize()

    def _begin_message(self) -> None:
        self._stack.setCurrentIndex(1)
        self.words.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _send(self) -> None:
        self.declined.emit(self.words.text().strip() or self.words.placeholderText())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves the message; it never declines."""
        if event.key() == Qt.Key.Key_Escape:
            self._stack.setCurrentIndex(0)
            self.message.setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)


class _OverWindow(QWidget):
    """Holds cards in the lower right corner of the main window, with their shade."""

    def __init__(self, host: QWidget, theme: Theme) -> None:
        super().__init__(host)
        self._theme = theme
        self._host = host
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(_SHADE, _SHADE, _SHADE, _SHADE)
        self.column.setSpacing(12)
        host.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner."""
        if event.type() == QEvent.Type.Resize:
            self.place()
        return False

    def place(self) -> None:
        """Into the corner, over everything."""
        self.adjustSize()
        inset = _EDGE - _SHADE
        self.move(
            max(0, self._host.width() - self.width() - inset),
            max(0, self._host.height() - self.height() - inset),
        )
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The shade of each card."""
        painter = QPainter(self)
        for card in self.findChildren(RingCard):
            paint_shadow(painter, QRectF(card.geometry()), 12, self._theme)


class RingToast(QWidget):
    """The card as a small window over all others; it takes no focus from what one writes."""

    def __init__(self, card: RingCard) -> None:
        flags = (
            Qt.WindowType.Tool
            | Qt.WindowType.FramelessWindowHint
            | Qt.WindowType.WindowStaysOnTopHint
        )
        super().__init__(None, flags)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setWindowTitle(card.accessibleName())
        self.card = card
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(card)
        self.adjustSize()

    def show_in_corner(self) -> None:
        """Lower right corner of the screen."""
        screen = QGuiApplication.primaryScreen()
        if screen is not None:
            room = screen.availableGeometry()
            size = self.sizeHint()
            self.move(room.bottomRight() - QPoint(size.width() + 16, size.height() + 16))
        self.show()


class Rings(QObject):
    """All who ring now, each with a card, and with a toast while the window is not the active
    one."""

    accepted = Signal(bytes, bool)
    declined = Signal(bytes, str)

    def __init__(self, host: QWidget, theme: Theme) -> None:
        super().__init__(host)
        self._host = host
        self._theme = theme
        self._over = _OverWindow(host, theme)
        self._over.hide()
        self._quiet = False
        self.cards: dict[bytes, RingCard] = {}
        self.toasts: dict[bytes, RingToast] = {}

    def show_ring(
        self, call: bytes, name: str, key: bytes, line: str, *, video: bool, active: bool
    ) -> None:
        """Somebody rings; told again it changes nothing."""
        if call in self.cards:
            return
        card = self.cards[call] = self._make(call, name, key, line, video=video)
        self._over.column.addWidget(card)
        self._show_over()
        if not active and not self._quiet:
            toast = RingToast(self._make(call, name, key, line, video=video))
            self.toasts[call] = toast
            toast.show_in_corner()

    def set_quiet(self, on: bool) -> None:
        """While this person presents, nobody else sees on their display who rings; who still rings
        afterwards is shown then."""
        if on != self._quiet:
            self._quiet = on
            self.hide_toasts()
            self._show_over()

    def _show_over(self) -> None:
        self._over.setVisible(bool(self.cards) and not self._quiet)
        self._over.place()

    def end(self, call: bytes) -> None:
        """It rings no longer."""
        card, toast = self.cards.pop(call, None), self.toasts.pop(call, None)
        if toast is not None:
            toast.hide()
            toast.deleteLater()
        if card is not None:
            self._over.column.removeWidget(card)
            card.hide()
            card.setParent(None)
            card.deleteLater()
            self._show_over()

    def hide_toasts(self) -> None:
        """The window is looked at: the card in it is enough."""
        for toast in self.toasts.values():
            toast.hide()

    def stay_over(self, note: QWidget) -> None:
        """A note came up in the window: above the cards, and never over their buttons."""
        if self.cards:
            top = self._over.y() + _SHADE
            note.move(note.x(), max(0, min(note.y(), top - note.height() - _SHADE)))
            self._over.raise_()

    def say_problem(self, call: bytes, words: str) -> None:
        """An answer that could not be given."""
        if call in self.cards:
            self.cards[call].say_problem(words)
            self._over.place()

    def close(self) -> None:
        """The window goes."""
        for call in list(self.cards):
            self.end(call)

    def _make(self, call: bytes, name: str, key: bytes, line: str, *, video: bool) -> RingCard:
        card = RingCard(name, key, line, self._theme, video=video)
        card.accepted.connect(lambda on: self.accepted.emit(call, on))
        card.declined.connect(lambda words: self.declined.emit(call, words))
        return card
