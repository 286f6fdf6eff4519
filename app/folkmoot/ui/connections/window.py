"""The window of the connection doctor: one sentence, this computer, then everybody's computers.

Draws what it is given and tells what was pressed. The order of the rows is made when a report is
asked for by hand; what changes by itself changes in its place, so that nothing moves while one
reads.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.ui.connections.computer import ThisComputer
from folkmoot.ui.connections.progress import CheckProgress
from folkmoot.ui.connections.rows import DeviceRow
from folkmoot.ui.connections.state import DoctorState, RowState
from folkmoot.ui.connections.way_line import WayList
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.fields import TextField
from folkmoot.ui.widgets.surfaces import Banner, IconLabel, Tone
from folkmoot.ui.widgets.text import Text

DEFAULT = QSize(780, 700)
LEAST = QSize(400, 420)
_NARROW = 560
_TYPED_MS = 120
_SEARCH_FROM = 8
"""So many computers need a search field."""


class DoctorWindow(QWidget):
    """Own top-level window."""

    check_pressed = Signal()
    copy_pressed = Signal()
    servers_wanted = Signal()
    left = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.theme = theme
        self._state: DoctorState | None = None
        self._rows: dict[DeviceId, DeviceRow] = {}
        self.setWindowTitle(self.tr("Connection doctor"))
        self.setMinimumSize(LEAST)
        self.resize(DEFAULT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 16, 0, 0)
        column.setSpacing(10)
        self.progress = CheckProgress(theme)
        for part in (self._build_head(), self._build_summary()):
            part.setContentsMargins(20, 0, 20, 0)
            column.addLayout(part)
        held = QHBoxLayout()
        held.setContentsMargins(20, 0, 20, 0)
        held.addWidget(self.progress)
        column.addLayout(held)
        column.addWidget(self._build_body(), 1)
        for keys, act in (
            ("Ctrl+F", self.search.setFocus),
            ("F5", self._want_check),
            ("Ctrl+R", self._want_check),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(act)
        theme.changed.connect(self.update)

    def _build_head(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(Text(self.tr("Connection doctor"), self.theme, TextStyle.TITLE))
        self.when = Text("", self.theme, TextStyle.META, "faint")
        line.addWidget(self.when)
        line.addStretch(1)
        self.copy = Button("", self.theme, icon="copy")
        self.copy.clicked.connect(self.copy_pressed)
        self.check = Button("", self.theme, ButtonKind.PRIMARY, icon="refresh-cw")
        self.check.clicked.connect(self._want_check)
        line.addWidget(self.copy)
        line.addWidget(self.check)
        self._copied = QTimer(self, singleShot=True, interval=2500)
        self._copied.timeout.connect(self._fit)
        self.copy.setEnabled(False)
        self._fit()
        return line

    def _build_summary(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        line = QHBoxLayout()
        line.setSpacing(10)
        self._mark = IconLabel("refresh-cw", self.theme, size=20)
        self._summary = Text(self.tr("Looking…"), self.theme, TextStyle.STRONG, wrap=True)
        line.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self._summary, 1)
        column.addLayout(line)
        self.problem = Banner("", self.theme, Tone.WARNING)
        self.problem.hide()
        column.addWidget(self.problem)
        return column

    def _build_body(self) -> QScrollArea:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(20, 2, 20, 20)
        column.setSpacing(0)
        self.computer = ThisComputer(self.theme)
        self.computer.servers_wanted.connect(self.servers_wanted)
        self.computer.hide()
        column.addWidget(self.computer)
        column.addSpacing(14)
        head = QHBoxLayout()
        head.setSpacing(10)
        names = QVBoxLayout()
        names.setSpacing(1)
        self._others = Text(self.tr("Computers of your teams"), self.theme, TextStyle.STRONG)
        self._others.hide()
        names.addWidget(self._others)
        self.counts = Text("", self.theme, TextStyle.META, "mute", wrap=True)
        names.addWidget(self.counts)
        head.addLayout(names, 1)
        self.search = TextField(
            self.tr("Search computers"), self.theme, placeholder=self.tr("Name"), compact=True
        )
        self.search.setFixedWidth(150)
        self.search.setClearButtonEnabled(True)
        self.search.hide()
        self._typed = QTimer(self, singleShot=True, interval=_TYPED_MS)
        self._typed.timeout.connect(self._filter)
        self.search.textChanged.connect(lambda _: self._typed.start())
        head.addWidget(self.search, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        column.addSpacing(6)
        self.nobody = Text("", self.theme, TextStyle.LABEL, "mute", wrap=True)
        self.nobody.hide()
        column.addWidget(self.nobody)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        column.addLayout(self._list)
        column.addSpacing(14)
        words = self.tr("Addresses of which it is not known whose they are")
        self._strange = Text(words, self.theme, TextStyle.STRONG, wrap=True)
        self._strange.hide()
        column.addWidget(self._strange)
        self.others = WayList(self.theme)
        column.addWidget(self.others)
        column.addStretch(1)
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(inside)
        self._area.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        inside.setAccessibleName(self.tr("Computers of your teams"))
        return self._area

    # --- what is shown

    @property
    def rows(self) -> list[DeviceRow]:
        """The rows from top to bottom."""
        return list(self._rows.values())

    def row(self, device: DeviceId) -> DeviceRow | None:
        """The row of a device."""
        return self._rows.get(device)

    def show_report(self, state: DoctorState, *, in_place: bool) -> None:
        """Show the newest. `in_place`: it came by itself, so rows that are there stay there."""
        self._state = state
        self._mark.set_icon(state.icon, state.token)
        self._summary.setText(state.summary)
        self.setAccessibleDescription(state.summary)
        self.when.setText(state.when)
        self.copy.setEnabled(True)
        self.computer.show_facts(state.facts, state.advice, has_server=state.has_server)
        self.computer.show()
        self._others.show()
        self.counts.setText(state.counts)
        self.search.setVisible(len(state.rows) >= _SEARCH_FROM or bool(self.search.text()))
        self._show_rows(list(state.rows), in_place=in_place)
        self.computer.trying.show_scans(state.scans)
        self._strange.setVisible(bool(state.others))
        self.others.show_ways(state.others)
        self._filter()

    def _show_rows(self, states: list[RowState], *, in_place: bool) -> None:
        wanted = {state.device: state for state in states}
        for device in [device for device in self._rows if device not in wanted]:
            self._drop(device)
        order = list(wanted)
        if in_place:
            order = list(self._rows) + [device for device in order if device not in self._rows]
        ordered: dict[DeviceId, DeviceRow] = {}
        for place, device in enumerate(order):
            row = self._rows.get(device) or self._make(wanted[device])
            if row.state != wanted[device]:
                row.show_state(wanted[device])
            if self._list.indexOf(row) != place:
                self._list.removeWidget(row)
                self._list.insertWidget(place, row)
            ordered[device] = row
        self._rows = ordered

    def _make(self, state: RowState) -> DeviceRow:
        row = DeviceRow(state, self.theme)
        row.step_wanted.connect(lambda step: self._step(row, step))
        return row

    def _drop(self, device: DeviceId) -> None:
        row = self._rows[device]
        if row.head.hasFocus():
            self._step(row, 1 if self.rows[-1] is not row else -1)
        del self._rows[device]
        self._list.removeWidget(row)
        row.hide()
        row.deleteLater()

    def _filter(self) -> None:
        words = self.search.text()
        for row in self._rows.values():
            fits = row.state.fits(words)
            if row.isHidden() is fits:
                row.setVisible(fits)
        found = any(not row.isHidden() for row in self._rows.values())
        none = self.tr("Nobody else is in your teams yet, so there is nobody to reach.")
        if self._rows:
            none = self.tr("No computer has all of these words.")
        self.nobody.setText(none)
        self.nobody.setVisible(not found and self._state is not None)

    def show_person(self, person: PersonId) -> None:
        """Open the rows of somebody and go there."""
        mine = [row for row in self._rows.values() if row.state.person == person]
        if not mine:
            return
        self.search.clear()
        self._filter()
        for row in mine:
            row.head.setChecked(True)
        mine[0].head.setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(0, self, lambda: self._bring(mine[0]))

    def _bring(self, row: DeviceRow) -> None:
        if row in self._rows.values():
            self._area.ensureWidgetVisible(row, 0, 8)
            self._area.ensureWidgetVisible(row.head, 0, 8)

    def _step(self, row: DeviceRow, step: int) -> None:
        rows = [one for one in self.rows if not one.isHidden()]
        if row not in rows:
            return
        target = rows[max(0, min(len(rows) - 1, rows.index(row) + step))]
        target.head.setFocus(Qt.FocusReason.TabFocusReason)
        self._area.ensureWidgetVisible(target.head)

    # --- acts

    def begin_check(self) -> None:
        """A check is on its way."""
        self.problem.hide()
        self.progress.begin()
        if self.check.hasFocus():
            self.setFocus()  # else the next button would get it, and a ring
        self.check.setEnabled(False)
        self._fit()

    def end_check(self) -> None:
        """It ended."""
        inherits = self.focusWidget() in (None, self.check, self)
        self.progress.end()
        self.check.setEnabled(True)
        self._fit()
        if inherits:
            self.check.setFocus(Qt.FocusReason.OtherFocusReason)

    def say_problem(self, words: str) -> None:
        """Why there is no report; empty takes it away."""
        self.problem.set_text(words)
        self.problem.setVisible(bool(words))
        if words and self._state is None:
            self._mark.set_icon("circle-alert", "bad_text")
            self._summary.setText(self.tr("There is no report."))

    def say_copied(self) -> None:
        """The report is on the clipboard."""
        self._copied.start()
        self._fit()

    def _want_check(self) -> None:
        if not self.progress.runs:
            self.check_pressed.emit()

    def _fit(self) -> None:
        """Words on buttons go where it is narrow; a button keeps its place for both words."""
        checks, copied = self.progress.runs, self._copied.isActive()
        words = (self.tr("Check again"), self.tr("Checking…"))
        self._face(self.check, "refresh-cw", words, chosen=checks)
        words = (self.tr("Copy report"), self.tr("Copied"))
        self._face(self.copy, "check" if copied else "copy", words, chosen=copied)

    def _face(self, button: Button, icon: str, words: tuple[str, str], *, chosen: bool) -> None:
        narrow = self.width() < _NARROW
        widths = []
        for one in words:
            button.show_face(icon, "" if narrow else one, one)
            widths.append(button.sizeHint().width())
        now = words[chosen]
        button.show_face(icon, "" if narrow else now, now)
        button.setFixedWidth(max(widths))
        button.setToolTip(now if narrow else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the head."""
        super().resizeEvent(event)
        self._fit()

    # --- the window

    def come_forward(self) -> None:
        """Show it over the others."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape clears the search, then closes."""
        if event.key() == Qt.Key.Key_Escape:
            if self.search.text():
                self.search.clear()
            else:
                self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nobody looks any more."""
        super().closeEvent(event)
        self.left.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground."""
        QPainter(self).fillRect(self.rect(), self.theme.colour("window"))
