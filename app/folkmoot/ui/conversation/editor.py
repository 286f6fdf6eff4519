"""The text field of the composer: grows to twelve lines, then scrolls; keys and pastes as signals.

Enter sends, Shift+Enter breaks; both belong to the input method while it composes. A paste larger
than a message may be is refused before it is laid out.
"""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QTextCursor, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QWidget

from folkmoot.ui.theme.fonts import LINE_HEIGHT, TextStyle
from folkmoot.ui.theme.theme import Theme

MOST_LINES = 12
PASTE_LIMIT = 64 * 1024
"""Characters; more than any message may hold, so that one can still cut a paste down."""
_ROOM = 4


class Editor(QPlainTextEdit):
    """Plain text, a few lines high."""

    sent = Signal()
    escaped = Signal()
    last_wanted = Signal()
    """Up was pressed while nothing is written."""
    refused = Signal(int)
    """A paste of so many characters was not taken."""
    takes_escape = False
    """Whether Escape ends something here; else it closes what is around."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("bare", True)
        self.setFont(theme.font(TextStyle.BODY))
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(0)
        self.setUndoRedoEnabled(True)
        self.textChanged.connect(self._grow)
        self._grow()

    def put(self, text: str) -> None:
        """Replace everything and stand at the end."""
        self.setPlainText(text)
        self.moveCursor(QTextCursor.MoveOperation.End)

    def wrap(self, sign: str, *, block: str = "") -> None:
        """Put `sign` around the selection (or the cursor), or take it off again."""
        cursor = self.textCursor()
        chosen = cursor.selectedText().replace("\u2029", "\n")
        if block and "\n" in chosen:
            cursor.insertText(f"{block}\n{chosen}\n{block}")
            return
        width = len(sign)
        if len(chosen) > 2 * width and chosen.startswith(sign) and chosen.endswith(sign):
            cursor.insertText(chosen[width:-width])
            return
        cursor.insertText(f"{sign}{chosen}{sign}")
        if not chosen:
            cursor.setPosition(cursor.position() - width)
            self.setTextCursor(cursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter, Escape and Up mean something here."""
        key, shift = event.key(), event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not shift:
            self.sent.emit()
        elif key == Qt.Key.Key_Escape and self.takes_escape:
            self.escaped.emit()
        elif key == Qt.Key.Key_Up and self.document().isEmpty():
            self.last_wanted.emit()
        else:
            super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Text only, and no more of it than could be sent."""
        if not source.hasText():
            return
        text = source.text()
        if len(text) > PASTE_LIMIT:
            self.refused.emit(len(text))
            return
        self.textCursor().insertText(text.replace("\0", ""))
        self.ensureCursorVisible()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width breaks lines elsewhere."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._grow()

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(200, LINE_HEIGHT + _ROOM)

    def _grow(self) -> None:
        layout = self.document().documentLayout()
        lines = max(1, min(MOST_LINES, round(layout.documentSize().height())))
        line = self.fontMetrics().lineSpacing()
        self.setFixedHeight(max(lines * line, LINE_HEIGHT) + _ROOM)
