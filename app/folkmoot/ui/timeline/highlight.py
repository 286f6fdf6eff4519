"""Colours for code: pygments, loaded in a pool thread only when a code block is on screen.

Until it is there code is plain; colours never change a measure. The lexer is named by the block's
language, never guessed (guessing costs a quarter of a second).
"""

from __future__ import annotations

import importlib
from typing import Any

from PySide6.QtCore import QObject, QThreadPool, Signal

_MAX_CHARS = 8_192

_TOKENS = (
    ("Token.Keyword", "code_word"),
    ("Token.Name.Builtin", "code_word"),
    ("Token.Name.Class", "code_word"),
    ("Token.Name.Function", "code_word"),
    ("Token.Name.Tag", "code_word"),
    ("Token.Name.Decorator", "code_word"),
    ("Token.Literal.Number", "code_number"),
    ("Token.Literal.String", "code_string"),
    ("Token.Comment", "faint"),
)


class Highlighter(QObject):
    """Finds the coloured spans of code; `ready` says that code drawn plain can be coloured now."""

    ready = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lexers: Any = None
        self._asked = False
        self._missing = False

    def spans(self, language: str, code: str) -> list[tuple[int, int, str]]:
        """Start, length and colour token of each span; empty while loading or not known."""
        if len(code) > _MAX_CHARS or self._missing or max(code, default="") > "\uffff":
            return []  # (beyond the BMP, Qt counts positions otherwise than Python)
        if self._lexers is None:
            self._load()
            return []
        try:
            lexer = self._lexers.get_lexer_by_name(
                language.split()[0].lower(), stripnl=False, ensurenl=False
            )
        except (self._lexers.ClassNotFound, IndexError):
            return []
        return [
            (start, len(text), colour)
            for start, kind, text in lexer.get_tokens_unprocessed(code)
            if text.strip() and (colour := _colour(str(kind)))
        ]

    def _load(self) -> None:
        if not self._asked:
            self._asked = True
            QThreadPool.globalInstance().start(self._import)

    def _import(self) -> None:
        """In a pool thread: import, then tell; the signal crosses to the window's thread."""
        try:
            self._lexers = importlib.import_module("pygments.lexers")
        except ImportError:
            self._missing = True
            return
        self.ready.emit()


def _colour(kind: str) -> str:
    return next((token for prefix, token in _TOKENS if kind.startswith(prefix)), "")
