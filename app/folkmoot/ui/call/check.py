"""Microphone, speaker and camera: chosen, heard and seen before a call, or whenever one likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.services import events as told
from folkmoot.services.call_values import (
    MediaChoice,
    MediaDevice,
    MediaDevices,
    Participant,
    ParticipantState,
)
from folkmoot.ui.call.menus import device_choices
from folkmoot.ui.call.pictures import Pictures
from folkmoot.ui.call.state import tile_state
from folkmoot.ui.call.tile import Tile
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import DarkTheme, Theme
from folkmoot.ui.widgets.buttons import Button
from folkmoot.ui.widgets.choice import ChoiceBox
from folkmoot.ui.widgets.fields import Switch, TextField
from folkmoot.ui.widgets.surfaces import Banner, Tone
from folkmoot.ui.widgets.text import SectionHeader, Text

_CELLS = 24
_PICTURE = QSize(364, 205)


class Meter(QWidget):
    """How loud the microphone hears, as cells that fill from the left."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.level = 0.0
        self.setFixedHeight(12)
        self.setAccessibleName(self.tr("Level of the microphone"))

    def show_level(self, level: float) -> None:
        """0 to 1."""
        self.level = max(level, self.level * 0.7)  # falls slowly, so that a word can be seen
        self.setAccessibleDescription(f"{round(self.level * 100)} %")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The cells."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        step = self.width() / _CELLS
        full = round(min(1.0, self.level) * _CELLS)
        for cell in range(_CELLS):
            loud = cell >= _CELLS * 0.85
            token = ("away_dot" if loud else "accent") if cell < full else "line"
            painter.setBrush(self._theme.colour(token))
            painter.drawRoundedRect(QRectF(cell * step, 0, step - 3, self.height()), 2, 2)


class CheckDialog(Form):
    """The check before joining (`act` says what comes then), or the settings (no `act`)."""

    choice_changed = Signal(object)
    check_wanted = Signal(bool, bool, bool)
    """Loopback, test sound, camera."""

    def __init__(self, parent: QWidget, theme: Theme, dark: DarkTheme, act: str) -> None:
        title = parent.tr("Before you join") if act else parent.tr("Calls and devices")
        super().__init__(parent, theme, title, act=act)
        self._dark = dark
        self._choice = MediaChoice()
        self._devices = MediaDevices()
        self._joins = bool(act)
        self.camera_on = True
        self._tile: Tile | None = None
        self._notices: dict[str, Banner] = {}
        self._build_area()
        self._build_picture()
        self._build_sound()
        if not act:
            self._add_options()
        self._rows.addStretch(1)

    def _build_area(self) -> None:
        inside = QWidget()
        self._rows = QVBoxLayout(inside)
        self._rows.setContentsMargins(4, 4, 14, 4)
        self._rows.setSpacing(6)
        self._area = QScrollArea()
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(inside)
        self._area.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        self.body.addWidget(self._area)

    def _build_picture(self) -> None:
        self._preview = QWidget()
        self._preview.setFixedSize(_PICTURE)
        self._preview.hide()
        self._rows.addWidget(self._preview, 0, Qt.AlignmentFlag.AlignHCenter)
        self.camera_switch = Switch(self.tr("Camera on"), "", self.theme)
        self.camera_switch.setChecked(True)
        self.camera_switch.toggled.connect(self._switch_camera)
        self.camera_switch.hide()
        self._rows.addWidget(self.camera_switch)
        self.camera = self._add_choice(self.tr("Camera"), "camera")

    def _build_sound(self) -> None:
        self.microphone = self._add_choice(self.tr("Microphone"), "microphone")
        self.meter = Meter(self.theme)
        self._rows.addWidget(self.meter)
        self.loopback = Switch(
            self.tr("Hear myself"), self.tr("Plays back what the microphone hears."), self.theme
        )
        self.loopback.toggled.connect(lambda _: self.want_check())
        self._rows.addWidget(self.loopback)
        self.speaker = self._add_choice(self.tr("Speaker"), "speaker")
        self.test = Button(self.tr("Play a test sound"), self.theme, icon="volume-2", height=36)
        self.test.setAutoDefault(False)
        self.test.clicked.connect(self._play)
        line = QHBoxLayout()
        line.addWidget(self.test)
        line.addStretch(1)
        self._rows.addLayout(line)

    def begin_in_call(self) -> None:
        """The call has the devices: no picture, no playing back; its levels move the meter."""
        self.loopback.hide()
        self.test.hide()

    def begin(self, pictures: Pictures) -> None:
        """Show one's own picture and listen; not while a call uses the devices already."""
        who = Participant(
            PersonId(b""), DeviceId(b""), self.tr("You"), ParticipantState.CONNECTED, is_me=True
        )
        self._me = replace(who, camera=True, microphone=True)
        self._tile = Tile(tile_state(self._me), self._dark, pictures, self._preview)
        self._tile.set_on_top(True)
        self._tile.setGeometry(self._preview.rect())
        self._tile.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._preview.show()
        self.camera_switch.show()

    # --- what is told

    def show_choice(self, choice: MediaChoice) -> None:
        """What holds now."""
        self._choice = choice
        self._fill()
        if not self._joins:
            for box, on in (
                (self.echo, choice.echo_cancellation),
                (self.noise, choice.noise_suppression),
                (self.gain, choice.gain_control),
                (self.talk, choice.push_to_talk),
                (self.ring, choice.ring),
            ):
                box.blockSignals(True)
                box.setChecked(on)
                box.blockSignals(False)
            self._select(self.profile, choice.profile)
            self._select(self.height_choice, choice.height)
            self._select(self.codec, choice.codec)
            if not self.servers.hasFocus():
                self.servers.setText(choice.ice_servers)

    def show_devices(self, devices: MediaDevices) -> None:
        """What there is to choose from."""
        self._devices = devices
        self._fill()

    def take(self, event: told.Event) -> None:
        """Level, devices, and what is the matter with one."""
        match event:
            case told.MicrophoneTested(level=level):
                self.meter.show_level(level)
            case told.DevicesChanged(devices=devices):
                self.show_devices(devices)
            case told.CallNotice(code=code, message=message, hint=hint):
                self._show_notice(code, f"{message} {hint}".strip())

    def want_check(self) -> None:
        """Ask for the check with what is switched on."""
        if self._tile is not None:
            self.check_wanted.emit(self.loopback.isChecked(), False, self.camera_on)

    def _show_notice(self, code: str, words: str) -> None:
        banner = self._notices.pop(code, None)
        if banner is not None:
            banner.hide()
            banner.deleteLater()
        if words:
            made = Banner(words, self.theme, Tone.WARNING, closable=False)
            self._notices[code] = made
            # Before a call the buttons are near: what stands above them must not move them away.
            self._rows.insertWidget(self._rows.count() - 1 if self._joins else 0, made)
        self.fit()

    # --- building

    def _add_choice(self, name: str, field: str) -> ChoiceBox:
        label = Text(name, self.theme, TextStyle.LABEL_STRONG)
        box = ChoiceBox(name, self.theme)
        label.setBuddy(box)
        box.activated.connect(
            lambda _: self._change(replace(self._choice, **{field: box.currentData()}))
        )
        box.closed.connect(self._fill)
        self._rows.addSpacing(4)
        self._rows.addWidget(label)
        self._rows.addWidget(box)
        return box

    def _add_options(self) -> None:
        self._rows.addSpacing(8)
        self._rows.addWidget(SectionHeader(self.tr("Sound"), self.theme))
        self.echo = self._add_switch(
            self.tr("Take away the echo"),
            self.tr("Keep it on with speakers; with headphones it makes no difference."),
            "echo_cancellation",
        )
        self.noise = self._add_switch(
            self.tr("Take away noise"), self.tr("Fans, keyboards, the street."), "noise_suppression"
        )
        self.gain = self._add_switch(
            self.tr("Even out the volume"), self.tr("Off for instruments."), "gain_control"
        )
        self.talk = self._add_switch(
            self.tr("Push to talk"),
            self.tr("The microphone is open only while Space is held in the call’s window."),
            "push_to_talk",
        )
        self.ring = self._add_switch(
            self.tr("Ring aloud"),
            self.tr(
                "A soft ring when somebody calls. Never while you do not want to be disturbed."
            ),
            "ring",
        )
        self._rows.addSpacing(4)
        self._rows.addWidget(Text(self.tr("Picture"), self.theme, TextStyle.LABEL_STRONG))
        self.profile = ChoiceBox(self.tr("Quality of the picture"), self.theme)
        for words, value in (
            (self.tr("Saver: small pictures, little power and network"), "saver"),
            (self.tr("Balanced"), "balanced"),
            (self.tr("High: the largest pictures that all can take"), "high"),
        ):
            self.profile.addItem(words, value)
        self.profile.activated.connect(
            lambda _: self._change(replace(self._choice, profile=self.profile.currentData()))
        )
        self._rows.addWidget(self.profile)
        self._add_height()
        self._add_codec()
        self._add_servers()

    def _add_height(self) -> None:
        self.height_choice = ChoiceBox(self.tr("Largest size of the picture"), self.theme)
        for words, value in (
            (self.tr("As large as the quality allows"), 0),
            (self.tr("At most 360 lines"), 360),
            (self.tr("At most 720 lines"), 720),
            (self.tr("At most 1080 lines"), 1080),
        ):
            self.height_choice.addItem(words, value)
        self.height_choice.activated.connect(
            lambda _: self._change(replace(self._choice, height=self.height_choice.currentData()))
        )
        self._rows.addWidget(self.height_choice)

    def _add_codec(self) -> None:
        self.codec = ChoiceBox(self.tr("How the picture is packed"), self.theme)
        self.codec.addItem(self.tr("VP8, which everybody can take"), "auto")
        self.codec.addItem(self.tr("H264, by the graphics card where it can"), "h264")
        self.codec.activated.connect(
            lambda _: self._change(replace(self._choice, codec=self.codec.currentData()))
        )
        self._rows.addWidget(self.codec)

    def _add_servers(self) -> None:
        name = self.tr("STUN or TURN server")
        self._rows.addSpacing(4)
        self._rows.addWidget(Text(name, self.theme, TextStyle.LABEL_STRONG))
        self.servers = TextField(
            name, self.theme, placeholder=self.tr("None is needed on a local network"), compact=True
        )
        self.servers.setMaxLength(500)
        self.servers.setToolTip(
            self.tr("One STUN and one TURN server are used: stun:HOST; turn:HOST USERNAME PASSWORD")
        )
        self.servers.editingFinished.connect(self._name_servers)
        self._rows.addWidget(self.servers)

    def _name_servers(self) -> None:
        if self.servers.text() != self._choice.ice_servers:
            self.say_problem("")
            self._change(replace(self._choice, ice_servers=self.servers.text()))

    def _add_switch(self, name: str, meaning: str, field: str) -> Switch:
        switch = Switch(name, meaning, self.theme)
        switch.toggled.connect(lambda on: self._change(replace(self._choice, **{field: on})))
        self._rows.addWidget(switch)
        return switch

    def _fill(self) -> None:
        system = self.tr("As the system")
        for box, devices, chosen, extra in (
            (self.camera, self._devices.cameras, self._choice.camera, self._test_picture()),
            (self.microphone, self._devices.microphones, self._choice.microphone, ()),
            (self.speaker, self._devices.speakers, self._choice.speaker, ()),
        ):
            self._fill_box(box, devices, chosen, system, extra)

    def _test_picture(self) -> tuple[tuple[str, str], ...]:
        return (("test", self.tr("Test picture")),)

    def _fill_box(
        self,
        box: ChoiceBox,
        devices: Sequence[MediaDevice],
        chosen: str,
        system: str,
        extra: Sequence[tuple[str, str]],
    ) -> None:
        if box.is_open:
            return
        box.clear()
        found = device_choices(devices, system) if devices else [("", self.tr("None found"))]
        for id_, name in (*found, *extra):
            box.addItem(name, id_)
        if chosen and box.findData(chosen) < 0:
            box.addItem(self.tr("The one chosen before (not plugged in)"), chosen)
        self._select(box, chosen)

    @staticmethod
    def _select(box: ChoiceBox, value: str | int) -> None:
        box.setCurrentIndex(max(0, box.findData(value)))

    # --- acts

    def _change(self, choice: MediaChoice) -> None:
        self._choice = choice
        self.choice_changed.emit(choice)

    def _switch_camera(self, on: bool) -> None:
        self.camera_on = on
        if self._tile is not None:
            self._me = replace(self._me, camera=on)
            self._tile.show_state(tile_state(self._me))
        self.want_check()

    def _play(self) -> None:
        self.check_wanted.emit(self.loopback.isChecked(), True, self.camera_on)

    def _fit(self) -> None:
        widget = self._area.widget()
        if widget is not None:
            inner = widget.layout()
            width = self.width() - 48
            high = inner.totalHeightForWidth(width) if inner is not None else 0
            high = max(high, widget.sizeHint().height())
            parent = self.parentWidget()
            room = parent.height() - 170 if parent is not None else high
            least = self._area.height() if self._joins and self.isVisible() else 160
            self._area.setFixedHeight(max(least, min(high, room)))
        super()._fit()
