"""This computer, as the connection doctor sees it: addresses, networks, mDNS, servers, advice."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.ui.connections.trying import TryAddress
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.surfaces import Card, IconLabel
from folkmoot.ui.widgets.text import Text

_LABEL_WIDTH = 150
_NARROW = 440


class Fact(QWidget):
    """A name and what is so; below each other where it is narrow."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(2)
        self._name = Text("", theme, TextStyle.META, "mute", wrap=True)
        self._words = Text("", theme, TextStyle.LABEL, wrap=True)
        self._line.addWidget(self._name, 0, Qt.AlignmentFlag.AlignTop)
        self._line.addWidget(self._words, 1)
        self._name.setContentsMargins(0, 1, 0, 0)

    def show_fact(self, name: str, words: str) -> None:
        """Show the newest."""
        self._name.setText(name)
        self._words.setText(words)
        self.setAccessibleName(f"{name}: {words}")

    def stand(self, narrow: bool) -> None:
        """Beside each other, or below."""
        way = QBoxLayout.Direction
        self._line.setDirection(way.TopToBottom if narrow else way.LeftToRight)
        self._name.setMinimumWidth(0 if narrow else _LABEL_WIDTH)
        self._name.setMaximumWidth(16_777_215 if narrow else _LABEL_WIDTH)


class ThisComputer(Card):
    """The card over the people."""

    servers_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, ground="panel", radius=10)
        self._theme = theme
        self._facts: list[Fact] = []
        self._advice: tuple[str, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(Text(self.tr("This computer"), theme, TextStyle.STRONG), 1)
        self.try_button = Button(self.tr("Try an address…"), theme, ButtonKind.LINK, height=28)
        self.try_button.setCheckable(True)
        self.try_button.toggled.connect(self._open_field)
        head.addWidget(self.try_button)
        self.servers = Button(self.tr("Servers…"), theme, ButtonKind.LINK, height=28)
        self.servers.setAutoDefault(False)
        self.servers.clicked.connect(self.servers_wanted)
        head.addWidget(self.servers)
        column.addLayout(head)
        self.trying = TryAddress(theme)
        self.trying.left.connect(self._close_field)
        self.trying.hide()
        column.addWidget(self.trying)
        self._hints = QVBoxLayout()
        self._hints.setSpacing(6)
        column.addLayout(self._hints)
        self._list = QVBoxLayout()
        self._list.setSpacing(6)
        column.addLayout(self._list)

    def show_facts(
        self, facts: Sequence[tuple[str, str]], advice: Sequence[str], *, has_server: bool
    ) -> None:
        """Show the newest."""
        while len(self._facts) < len(facts):
            fact = Fact(self._theme)
            fact.stand(self.width() < _NARROW)
            self._facts.append(fact)
            self._list.addWidget(fact)
        for fact, (name, words) in zip(self._facts, facts, strict=True):
            fact.show_fact(name, words)
        self.servers.setText(self.tr("Servers…") if has_server else self.tr("Add a server…"))
        self._show_advice(tuple(advice))

    def _open_field(self, on: bool) -> None:
        self.trying.setVisible(on)
        if on:
            self.trying.address.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close_field(self) -> None:
        self.try_button.setChecked(False)
        self.try_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_advice(self, advice: tuple[str, ...]) -> None:
        if advice == self._advice:
            return
        self._advice = advice
        while (item := self._hints.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for words in advice:
            self._hints.addWidget(_Hint(words, self._theme))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Names over the words where it is narrow."""
        super().resizeEvent(event)
        for fact in self._facts:
            fact.stand(self.width() < _NARROW)


class _Hint(QWidget):
    """What to do about this computer."""

    def __init__(self, words: str, theme: Theme) -> None:
        super().__init__()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        mark = IconLabel("triangle-alert", theme, token="away_text")
        line.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(Text(words, theme, TextStyle.LABEL, wrap=True), 1)
        self.setAccessibleName(words)
