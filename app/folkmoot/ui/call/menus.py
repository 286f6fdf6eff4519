"""The menus of a call: reactions, devices, layout, one tile, and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QActionGroup, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from folkmoot.services.call_values import MediaDevice
from folkmoot.ui.call.layout import LayoutKind
from folkmoot.ui.call.state import Key, is_screen_key
from folkmoot.ui.theme.fonts import make_font
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.emoji import QUICK_REACTIONS
from folkmoot.ui.widgets.focus import KeyboardFocus
from folkmoot.ui.widgets.popover import MenuItem, Popover, build_menu

if TYPE_CHECKING:
    from folkmoot.ui.call.room import Room


class _Emoji(KeyboardFocus, QPushButton):
    """One emoji to press."""

    def __init__(self, emoji: str, theme: Theme) -> None:
        super().__init__(emoji)
        self.theme = theme
        self.setFixedSize(44, 44)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAccessibleName(emoji)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The emoji, on a ground while it is pointed at."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse() or self.hasFocus():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("accent_soft"))
            painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        painter.setFont(make_font(22))
        painter.setPen(self.theme.colour("ink"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows walk, Return presses."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.focusNextPrevChild(event.key() == Qt.Key.Key_Right)
        else:
            super().keyPressEvent(event)


class Reactions(QWidget):
    """A row of emoji."""

    def __init__(self, theme: Theme, emoji: Sequence[str]) -> None:
        super().__init__()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        self.buttons = [_Emoji(each, theme) for each in emoji]
        for button in self.buttons:
            line.addWidget(button)
        self.setFocusProxy(self.buttons[0])


class Menus(QObject):
    """Opens the menus of one room."""

    def __init__(self, room: Room) -> None:
        super().__init__(room)
        self._room = room

    def open_reactions(self) -> None:
        """A row of emoji over the button; it stays until one is chosen or Escape is pressed."""
        room = self._room
        row = Reactions(room.theme, QUICK_REACTIONS)
        popover = Popover(room.window, room.theme, row)
        for button in row.buttons:
            button.clicked.connect(lambda _on=False, b=button: room.acts.react(b.text()))
            button.clicked.connect(popover.close_popover)
        react = room.window.bar.react
        popover.open_at(QRect(react.mapToGlobal(QPoint(-110, 0)), react.size()))
        row.buttons[0].setFocus(Qt.FocusReason.TabFocusReason)

    def open_sound(self) -> None:
        """Microphone and speaker."""
        room = self._room
        menu = self._menu()
        self._add_devices(menu, self.tr("Microphone"), room.devices.microphones, "microphone")
        menu.addSeparator()
        self._add_devices(menu, self.tr("Speaker"), room.devices.speakers, "speaker")
        menu.addSeparator()
        talk = menu.addAction(self.tr("Push to talk (hold Space)"))
        talk.setCheckable(True)
        talk.setChecked(room.choice.push_to_talk)
        talk.toggled.connect(lambda on: room.acts.choose(replace(room.choice, push_to_talk=on)))
        menu.addAction(self.tr("Calls and devices…")).triggered.connect(room.settings_wanted)
        self._pop_up(menu, room.window.bar.microphones)

    def open_camera(self) -> None:
        """The camera."""
        room = self._room
        menu = self._menu()
        self._add_devices(menu, self.tr("Camera"), room.devices.cameras, "camera")
        menu.addSeparator()
        menu.addAction(self.tr("Calls and devices…")).triggered.connect(room.settings_wanted)
        self._pop_up(menu, room.window.bar.cameras)

    def open_layouts(self) -> None:
        """Grid or speaker, or the screen that somebody shares."""
        room = self._room
        menu = self._menu()
        group = QActionGroup(menu)
        stage = room.window.stage
        share = ((LayoutKind.SHARE, self.tr("Shared screen: it is large")),)
        for kind, words in (
            *(share if any(not state.is_me for state in stage.screens) else ()),
            (LayoutKind.SPEAKER, self.tr("Speaker: who talks is large")),
            (LayoutKind.GRID, self.tr("Grid: all the same size")),
        ):
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(stage.layout_now is kind and not stage.pinned)
            action.triggered.connect(lambda _on=False, kind=kind: room.set_layout(kind))
            group.addAction(action)
        menu.popup(room.below(room.window.layouts))

    def open_more(self) -> None:
        """Statistics, devices, and what the host may do."""
        room = self._room
        call = room.call
        items = [
            *room.recording.menu_items(),
            MenuItem(""),
            MenuItem(self.tr("Statistics"), room.beside.toggle_stats, "chart-line"),
            MenuItem(self.tr("Calls and devices…"), room.settings_wanted.emit, "settings"),
        ]
        if call.may_control:
            lock = self.tr("Let others in again") if call.locked else self.tr("Lock the call")
            items += [
                MenuItem(""),
                MenuItem(
                    lock,
                    lambda: room.acts.act("lock", on=not call.locked),
                    "lock-open" if call.locked else "lock",
                ),
                MenuItem(
                    self.tr("End the call for everybody…"),
                    room.beside.ask_end,
                    "phone-off",
                    danger=True,
                ),
            ]
        menu, more = build_menu(room.window, room.theme, items), room.window.more
        right = QPoint(more.width() - menu.sizeHint().width(), more.height() + 2)
        menu.popup(more.mapToGlobal(right))

    def open_tile(self, key: Key, where: QPoint) -> None:
        """What can be done with one participant."""
        room = self._room
        who = room.participant(key)
        if who is None:
            return
        pinned = room.window.stage.pinned == key
        items = [
            MenuItem(
                self.tr("Let go") if pinned else self.tr("Keep large"),
                lambda: room.toggle_pin(key),
                "pin-off" if pinned else "pin",
            ),
            MenuItem(self.tr("In a window of its own"), lambda: room.pop_out(key), "external-link"),
        ]
        if not who.is_me and who.device and not is_screen_key(key):
            quiet = who.muted_for_me
            items += [
                MenuItem(""),
                MenuItem(
                    self.tr("Hear again") if quiet else self.tr("Mute for me"),
                    lambda: room.acts.act("mute_for_me", who, not quiet),
                    "volume-2" if quiet else "volume-x",
                ),
            ]
        build_menu(room.window, room.theme, items).popup(where)

    def _add_devices(
        self, menu: QMenu, title: str, devices: Sequence[MediaDevice], field: str
    ) -> None:
        room = self._room
        heading = menu.addAction(title)
        heading.setEnabled(False)
        group = QActionGroup(menu)
        chosen = getattr(room.choice, field)
        for id_, name in device_choices(devices, self.tr("As the system")):
            action = menu.addAction(name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(id_ == chosen)
            action.triggered.connect(
                lambda _on=False, id_=id_: room.acts.choose(replace(room.choice, **{field: id_}))
            )
            group.addAction(action)
        if not devices:
            menu.addAction(self.tr("None found")).setEnabled(False)

    def _menu(self) -> QMenu:
        menu = QMenu(self._room.window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def _pop_up(self, menu: QMenu, over: QWidget) -> None:
        size = menu.sizeHint()
        menu.popup(over.mapToGlobal(QPoint(over.width() - size.width(), -size.height() - 4)))


def device_choices(devices: Sequence[MediaDevice], system: str) -> list[tuple[str, str]]:
    """(id, name) to choose from, the system's default first and named."""
    default = next((d.name for d in devices if d.is_default), "")
    first = f"{system} ({default})" if default else system
    return [("", first), *((d.id, d.name) for d in devices)]
