"""The participants: who is there and how, how loud each one is here, and what the host may do."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSlider, QVBoxLayout, QWidget

from folkmoot.services.call_values import Call, Participant
from folkmoot.ui.call.absent import AbsentList
from folkmoot.ui.call.state import Key, key_of, tile_state
from folkmoot.ui.conversation.pane import Confirmation
from folkmoot.ui.theme.avatars import paint_avatar
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, IconButton
from folkmoot.ui.widgets.focus import KeyboardFocus
from folkmoot.ui.widgets.surfaces import IconLabel
from folkmoot.ui.widgets.text import ElidedText

_STEPS = 100


class Volume(KeyboardFocus, QSlider):
    """0 to 200 per cent, painted."""

    focus_radius = 7

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.theme = theme
        self.setRange(0, 2 * _STEPS)
        self.setPageStep(10)
        self.setSingleStep(5)
        self.setFixedHeight(28)
        self.setMinimumWidth(90)

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(140, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Track, the part that is on, a mark at 100 %, the knob."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(0.4)
        painter.setPen(Qt.PenStyle.NoPen)
        width, middle = self.width() - 16.0, self.height() / 2
        share = self.value() / self.maximum()
        painter.setBrush(self.theme.colour("edge"))
        painter.drawRoundedRect(QRectF(8, middle - 2, width, 4), 2, 2)
        painter.setBrush(self.theme.colour("accent"))
        painter.drawRoundedRect(QRectF(8, middle - 2, width * share, 4), 2, 2)
        painter.drawRect(QRectF(8 + width / 2 - 0.75, middle - 6, 1.5, 12))
        painter.setBrush(self.theme.colour("ink"))
        painter.drawEllipse(QRectF(8 + width * share - 7, middle - 7, 14, 14))


class _Face(QWidget):
    """An avatar with the ring of who speaks."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._name, self._key, self._speaks = "", b"", False
        self.setFixedSize(38, 38)

    def show_face(self, name: str, key: bytes) -> None:
        """Whose it is."""
        self._name, self._key = name, key
        self.update()

    def show_speaking(self, on: bool) -> None:
        """Whether there is a ring."""
        if on != self._speaks:
            self._speaks = on
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        paint_avatar(painter, QRectF(3, 3, 32, 32), self._name, self._key)
        if self._speaks:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(1, 1, 36, 36), 11, 11)


class PersonRow(QWidget):
    """One participant."""

    volume_changed = Signal(float)
    act_wanted = Signal(str, bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.who: Participant | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 8, 6)
        column.setSpacing(2)
        line = QHBoxLayout()
        line.setSpacing(10)
        self._face = _Face(theme)
        line.addWidget(self._face)
        words = QVBoxLayout()
        words.setSpacing(0)
        self._name = ElidedText("", theme, TextStyle.STRONG)
        self._line = ElidedText("", theme, TextStyle.META, "mute")
        words.addWidget(self._name)
        words.addWidget(self._line)
        line.addLayout(words, 1)
        self._hand = IconLabel("hand", theme, token="away_text")
        self._mic = IconLabel("mic", theme)
        self._camera = IconLabel("video", theme)
        self._screen = IconLabel("monitor-up", theme, token="accent")
        self._screen.setToolTip(self.tr("Shares a screen"))
        for sign in (self._screen, self._hand, self._mic, self._camera):
            line.addWidget(sign)
        column.addLayout(line)
        self._below = QWidget()
        below = QHBoxLayout(self._below)
        below.setContentsMargins(48, 0, 0, 0)
        below.setSpacing(2)
        self.quiet = IconButton("volume-2", self.tr("Mute for me"), theme, side=36)
        self.quiet.clicked.connect(self._toggle_quiet)
        self.volume = Volume(theme)
        self.volume.valueChanged.connect(lambda v: self.volume_changed.emit(v / _STEPS))
        self.ask_mute = IconButton("mic-off", self.tr("Ask to mute"), theme, side=36)
        self.ask_mute.clicked.connect(lambda: self.act_wanted.emit("ask_mute", True))
        self.remove = IconButton("user-x", self.tr("Remove from the call"), theme, side=36)
        self.remove.clicked.connect(lambda: self.act_wanted.emit("ask_remove", True))
        below.addWidget(self.quiet)
        below.addWidget(self.volume, 1)
        below.addWidget(self.ask_mute)
        below.addWidget(self.remove)
        column.addWidget(self._below)

    def show_person(self, who: Participant, *, may_control: bool, raised: int) -> None:
        """The newest; `raised` is the place among the raised hands, 0 without one."""
        self.who = who
        state = tile_state(who)
        self._face.show_face(who.name, who.person)
        self._name.setText(self.tr("{name} (you)").format(name=who.name) if who.is_me else who.name)
        line = [
            self.tr("host") if who.is_host else "",
            self.tr("hand raised, number {n}").format(n=raised) if raised else "",
            (self.tr("screen paused") if who.screen_paused else self.tr("shares a screen"))
            if state.shares
            else "",
            state.line or (state.quality_words if who.quality in (1, 2) else ""),
        ]
        self._line.setText(" · ".join(word for word in line if word))
        self._line.setVisible(any(line))
        there = who.is_me or bool(who.device)
        self._hand.setVisible(raised > 0)
        self._screen.setVisible(state.shares)
        self._mic.setVisible(there)
        self._camera.setVisible(there)
        muted = not who.microphone
        self._mic.set_icon("mic-off" if muted else "mic", "bad_text" if muted else "mute")
        self._mic.setToolTip(self.tr("Microphone off") if muted else self.tr("Microphone on"))
        self._camera.set_icon("video" if who.camera else "video-off", "mute")
        self._camera.setToolTip(self.tr("Camera on") if who.camera else self.tr("Camera off"))
        self._below.setVisible(there and not who.is_me)
        self.quiet.set_icon("volume-x" if who.muted_for_me else "volume-2")
        self.quiet.set_name(
            self.tr("Hear {name} again").format(name=who.name)
            if who.muted_for_me
            else self.tr("Mute {name} for me").format(name=who.name)
        )
        self.volume.setEnabled(not who.muted_for_me)
        self.volume.setAccessibleName(self.tr("Volume of {name}").format(name=who.name))
        if not self.volume.isSliderDown():
            self.volume.blockSignals(True)
            self.volume.setValue(round(who.volume * _STEPS))
            self.volume.blockSignals(False)
        self.ask_mute.setVisible(may_control)
        self.ask_mute.setEnabled(who.microphone)
        self.ask_mute.set_name(self.tr("Ask {name} to mute").format(name=who.name))
        self.remove.setVisible(may_control)
        self.remove.set_name(self.tr("Remove {name} from the call").format(name=who.name))
        self.setAccessibleName(f"{self._name.text()}, {state.accessible}")

    def show_speaking(self, on: bool) -> None:
        """A ring while this one speaks."""
        self._face.show_speaking(on)

    def _toggle_quiet(self) -> None:
        if self.who is not None:
            self.act_wanted.emit("mute_for_me", not self.who.muted_for_me)


class PeopleList(QWidget):
    """Everybody in the call, raised hands first, and the host's controls at the foot."""

    volume_changed = Signal(object, float)
    act_wanted = Signal(str, object, bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: dict[Key, PersonRow] = {}
        self._asking: Participant | None = None
        self._locked = False
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 0, 4, 8)
        column.setSpacing(8)
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(2)
        self.absent = AbsentList(theme)
        self.absent.hide()
        self._list.addWidget(self.absent)
        self._list.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        area.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        column.addWidget(area, 1)
        self.question = Confirmation(theme)
        self.question.delete.setFixedHeight(36)
        self.question.keep.setFixedHeight(36)
        self.question.confirmed.connect(self._confirm)
        self.question.dropped.connect(self._drop)
        column.addWidget(self.question)
        self._controls = QWidget()
        line = QHBoxLayout(self._controls)
        line.setContentsMargins(8, 0, 8, 0)
        self.lock = Button(self.tr("Lock the call"), theme, icon="lock", height=36)
        self.lock.clicked.connect(lambda: self.act_wanted.emit("lock", None, not self._locked))
        self.end = Button(self.tr("End for all"), theme, icon="phone-off", height=36)
        self.end.clicked.connect(self.ask_end)
        line.addWidget(self.lock, 1)
        line.addWidget(self.end, 1)
        column.addWidget(self._controls)

    @property
    def rows(self) -> list[PersonRow]:
        """From top to bottom."""
        return list(self._rows.values())

    def show_call(self, call: Call) -> None:
        """The newest."""
        raised = [p for p in call.participants if p.hand]
        rest = [p for p in call.participants if not p.hand]
        rest.sort(key=lambda p: (not p.is_me, not p.device, p.name.casefold()))
        wanted = {key_of(p) for p in call.participants}
        for gone in [key for key in self._rows if key not in wanted]:
            self._rows.pop(gone).deleteLater()
        ordered: dict[Key, PersonRow] = {}
        for place, who in enumerate([*raised, *rest]):
            row = self._rows.get(key_of(who)) or self._make()
            number = raised.index(who) + 1 if who in raised else 0
            row.show_person(who, may_control=call.may_control, raised=number)
            if self._list.indexOf(row) != place:
                self._list.removeWidget(row)
                self._list.insertWidget(place, row)
            ordered[key_of(who)] = row
        self._rows = ordered
        self._locked = call.locked
        self._controls.setVisible(call.may_control)
        self.lock.setText(self.tr("Let others in") if call.locked else self.tr("Lock the call"))

    def show_speaking(self, speaking: set[bytes]) -> None:
        """Rings around those who speak (devices)."""
        for key, row in self._rows.items():
            row.show_speaking(bool(key[1]) and key[1] in speaking)

    def ask_end(self) -> None:
        """Ask whether the call shall end for everybody."""
        self._asking = None
        self.question.delete.setText(self.tr("End it"))
        self.question.ask(self.tr("End the call for everybody?"))

    def _make(self) -> PersonRow:
        row = PersonRow(self._theme)

        def act(name: str, on: bool) -> None:
            if name == "ask_remove" and row.who is not None:
                self._asking = row.who
                words = self.tr("Remove {name}? They cannot come back into this call.")
                self.question.delete.setText(self.tr("Remove"))
                self.question.ask(words.format(name=row.who.name))
            else:
                self.act_wanted.emit(name, row.who, on)

        row.act_wanted.connect(act)
        row.volume_changed.connect(lambda v: self.volume_changed.emit(row.who, v))
        return row

    def _confirm(self) -> None:
        who, self._asking = self._asking, None
        self.question.hide()
        self.act_wanted.emit("remove" if who is not None else "end", who, True)

    def _drop(self) -> None:
        self._asking = None
        self.question.hide()
