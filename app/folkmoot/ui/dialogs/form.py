"""The shape of every dialog: a title, fields, a problem line, one act. Shown with `open()` only."""

from __future__ import annotations

import itertools

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.text import Text

WIDTH = 440


class Form(QDialog):
    """A dialog that deletes itself; `submitted` when its act is wanted."""

    submitted = Signal()

    def __init__(self, parent: QWidget, theme: Theme, title: str, *, act: str = "") -> None:
        super().__init__(parent)
        self.theme = theme
        self.first: QWidget | None = None
        """Where the keyboard is at first; else in the first field."""
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(min(WIDTH, max(320, parent.width() - 40)))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 22, 24, 20)
        outer.setSpacing(14)
        outer.addWidget(Text(title, theme, TextStyle.TITLE))
        self.body = QVBoxLayout()
        self.body.setSpacing(6)
        outer.addLayout(self.body)
        self.problem = Text("", theme, TextStyle.META, "bad_text", wrap=True)
        self.problem.hide()
        outer.addWidget(self.problem)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addStretch(1)
        self.close_button = Button(self.tr("Cancel") if act else self.tr("Close"), theme)
        self.close_button.setAutoDefault(False)
        self.close_button.clicked.connect(self.reject)
        line.addWidget(self.close_button)
        self.act = Button(act, theme, ButtonKind.PRIMARY)
        self.act.setVisible(bool(act))
        self.act.setDefault(bool(act))
        self.act.clicked.connect(self._submit)
        line.addWidget(self.act)
        outer.addLayout(line)

    def add_field(self, label: str, field: QWidget, hint: str = "") -> None:
        """A field below its name, with a hint below it."""
        name = Text(label, self.theme, TextStyle.LABEL_STRONG)
        name.setBuddy(field)
        self.body.addWidget(name)
        self.body.addWidget(field)
        if hint:
            self.body.addWidget(Text(hint, self.theme, TextStyle.META, "faint", wrap=True))
        self.body.addSpacing(6)

    def say_problem(self, words: str) -> None:
        """Show what went wrong; the act can be tried again."""
        self.problem.setText(words)
        self.problem.setVisible(bool(words))
        self.set_busy(False)
        self.fit()

    def set_busy(self, busy: bool) -> None:
        """The act is on its way."""
        self.act.setEnabled(not busy)

    def fit(self) -> None:
        """Take the height that the words need at this width, now and with what is just added."""
        self._fit()
        QTimer.singleShot(0, self, self._fit)

    def _fit(self) -> None:
        layout = self.layout()
        if layout is not None:
            layout.activate()
            self.resize(self.width(), layout.totalHeightForWidth(self.width()))
            self._stay_on_screen()

    def _stay_on_screen(self) -> None:
        """Over a window at the edge of the screen the act would stand outside."""
        frame, room = self.frameGeometry(), self.screen().availableGeometry()
        if self.isVisible() and not room.contains(frame):
            left = max(room.left(), min(frame.left(), room.right() + 1 - frame.width()))
            top = max(room.top(), min(frame.top(), room.bottom() + 1 - frame.height()))
            self.move(left, top)

    def open(self) -> None:
        """Show it over its window; nothing else waits for it."""
        self.fit()
        fields = [w for w in self._fields() if w not in (self.act, self.close_button)]
        order = [*fields, self.act, self.close_button]
        for before, after in itertools.pairwise(order):
            self.setTabOrder(before, after)
        (self.first or order[0]).setFocus(Qt.FocusReason.OtherFocusReason)
        super().open()

    def _fields(self) -> list[QWidget]:
        return [
            w
            for w in self.findChildren(QWidget)
            if w.window() is self and w.focusPolicy() & Qt.FocusPolicy.TabFocus and not w.isHidden()
        ]

    def _submit(self) -> None:
        if self.act.isEnabled():
            self.submitted.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground of a panel."""
        QPainter(self).fillRect(self.rect(), self.theme.colour("panel"))
