"""The card of a person: how each of their computers is reached, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.domain.ids import PersonId
from folkmoot.services.values import PresenceState
from folkmoot.ui.connections.words import Reach
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.avatar import Avatar
from folkmoot.ui.widgets.buttons import Button
from folkmoot.ui.widgets.surfaces import IconLabel
from folkmoot.ui.widgets.text import ElidedText, Text

WIDTH = 320
_MOST_SHOWN = 4


@dataclass(frozen=True, slots=True)
class ReachedDevice:
    """One computer of the person; `seen` is when, in words, where it is not reached."""

    name: str
    reach: Reach
    why: str
    seen: str


@dataclass(frozen=True, slots=True)
class PersonReach:
    """What the card says."""

    person: PersonId
    name: str
    presence: PresenceState
    line: str
    devices: tuple[ReachedDevice, ...]


class ReachCard(QWidget):
    """Stands in a popover."""

    doctor_wanted = Signal()

    def __init__(self, state: PersonReach, theme: Theme) -> None:
        super().__init__()
        self.setFixedWidth(WIDTH)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 6)
        column.setSpacing(10)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(Avatar(state.name, state.person, theme, presence=state.presence))
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(ElidedText(state.name, theme, TextStyle.STRONG))
        names.addWidget(ElidedText(state.line, theme, TextStyle.META, "mute"))
        top.addLayout(names, 1)
        column.addLayout(top)
        for device in state.devices[:_MOST_SHOWN]:
            column.addLayout(_device(device, theme, named=len(state.devices) > 1))
        more = len(state.devices) - _MOST_SHOWN
        if more > 0:
            words = self.tr("and {n} more computers").format(n=more)
            column.addWidget(Text(words, theme, TextStyle.META, "mute"))
        if not state.devices:
            words = self.tr("None of their computers has been met yet.")
            column.addWidget(_wrapped(words, theme, "mute", WIDTH - 16))
        self.doctor = Button(self.tr("Connection doctor"), theme, icon="stethoscope", height=28)
        self.doctor.clicked.connect(self.doctor_wanted)
        column.addWidget(self.doctor, 0, Qt.AlignmentFlag.AlignLeft)
        self.setFocusProxy(self.doctor)
        self.setAccessibleName(_spoken(state.name, state.devices))


def _device(device: ReachedDevice, theme: Theme, *, named: bool) -> QHBoxLayout:
    line = QHBoxLayout()
    line.setSpacing(10)
    over = device.reach.over
    mark = IconLabel(over.icon, theme, token=over.token)
    line.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
    words = QVBoxLayout()
    words.setSpacing(1)
    if named and device.name:
        words.addWidget(ElidedText(device.name, theme, TextStyle.LABEL_STRONG))
    words.addWidget(ElidedText(_state_words(device), theme, TextStyle.LABEL))
    if device.why:
        words.addWidget(_wrapped(device.why, theme, "mute", WIDTH - 16 - 26))
    line.addLayout(words, 1)
    return line


def _wrapped(words: str, theme: Theme, token: str, width: int) -> Text:
    """A text of the height that it needs: a popover does not ask for the height at a width."""
    text = Text(words, theme, TextStyle.META, token, wrap=True)
    text.setFixedSize(width, text.heightForWidth(width))
    return text


def _state_words(device: ReachedDevice) -> str:
    return f"{device.reach.words} · {device.seen}" if device.seen else device.reach.with_time


def _spoken(name: str, devices: Sequence[ReachedDevice]) -> str:
    said = [f"{_state_words(device)}. {device.why}".strip() for device in devices]
    return ". ".join([name, *said])
