"""The menus of the main window: of the team, of a channel, of a member."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QPoint, QRect, QSize
from PySide6.QtWidgets import QWidget

from folkmoot.domain.ids import PersonId
from folkmoot.services.values import Conversation
from folkmoot.ui.model import WindowModel
from folkmoot.ui.widgets.popover import MenuItem, build_menu

if TYPE_CHECKING:
    from folkmoot.ui.main.presenter import MainPresenter


def _tr(text: str) -> str:
    return QCoreApplication.translate("Main", text)


class Menus:
    """Opens them and hands on what is chosen."""

    def __init__(self, main: MainPresenter, model: WindowModel) -> None:
        self._main = main
        self._model = model

    def open_team(self) -> None:
        """Below the name of the team."""
        main, dialogs = self._main, self._main.dialogs
        items = [
            MenuItem(_tr("Invite people…"), lambda: main.with_team(dialogs.invite), "user-plus"),
            MenuItem(
                _tr("Team settings…"), lambda: main.with_team(dialogs.team_settings), "settings"
            ),
            MenuItem(
                _tr("Create a channel…"), lambda: main.with_team(dialogs.create_channel), "hash"
            ),
            MenuItem(_tr("Calls…"), lambda: main.calls.desk.open_history(), "phone"),
            MenuItem(_tr("Recordings…"), lambda: main.calls.desk.library.open(), "film"),
            MenuItem(_tr("Connections…"), lambda: main.connections.open_servers(), "server"),
            MenuItem(
                _tr("Connection doctor"), lambda: main.connections.open_doctor(), "stethoscope"
            ),
            MenuItem(""),
            MenuItem(_tr("Start or join another team"), main.start_wanted.emit, "plus"),
        ]
        self._pop_up_below(items, main.view.side_bar.team)

    def open_channel(self, channel: Conversation) -> None:
        """Below the name of a channel."""
        main = self._main
        items = [
            MenuItem(
                _tr("Rename the channel…"),
                lambda: main.dialogs.rename_channel(channel),
                "pencil",
            ),
            MenuItem(_tr("Edit the topic"), main.view.header.topic.click, "text-quote"),
        ]
        self._pop_up_below(items, main.view.header.title)

    def open_member(self, person: PersonId, where: QPoint) -> None:
        """At a member of the list."""
        if person == self._model.me:
            return
        main, name = self._main, self._model.name_of(person)
        anchor = QRect(where, QSize(1, 1))
        items = [
            MenuItem(
                _tr("Write to {name}").format(name=name),
                lambda: main.write_to(person),
                "message-square",
            ),
            MenuItem(
                _tr("How {name} is reached…").format(name=name),
                lambda: main.connections.show_card(person, anchor),
                "network",
            ),
        ]
        build_menu(main.view, main.view.theme, items).popup(where)

    def _pop_up_below(self, items: list[MenuItem], below: QWidget) -> None:
        menu = build_menu(self._main.view, self._main.view.theme, items)
        menu.popup(below.mapToGlobal(QPoint(0, below.height() + 2)))
