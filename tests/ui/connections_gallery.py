"""Pictures of connections, for looking at: `python tests/ui/connections_gallery.py DIR [SCENE…]`.

Not a test. Draws both themes at the scale given by QT_SCALE_FACTOR.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint, QRect
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from fakes.connections import FakeDoctor, FakeServers
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import DeviceId, EntryId, PersonId
from folkmoot.protocol.invites import InviteLink, write_link
from folkmoot.services import events as told
from folkmoot.services.values import (
    Identity,
    Invite,
    Member,
    Presence,
    PresenceState,
    Role,
    Way,
)
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.connections.desk import Connections
from folkmoot.ui.dialogs.invite import InviteDialog
from folkmoot.ui.dialogs.invited import InvitedDialog
from folkmoot.ui.dialogs.settings import SettingsDialog
from folkmoot.ui.main.doorkeeper import Doorkeeper
from folkmoot.ui.main.members import member_states
from folkmoot.ui.start.invitation import open_invitation
from folkmoot.ui.start.state import Joining, Step
from folkmoot.ui.start.view import StartView
from folkmoot.ui.theme.theme import Mode, Theme
from ui.call_gallery import MARA, TEAM, Booth, Straight
from ui.connection_samples import (
    AWAY,
    NOW_MS,
    READY,
    TALK,
    crowd,
    missing,
    peer,
    report,
    usual,
)
from ui.samples import NAMES, person

Scene = Callable[["Stand"], QWidget]


class Stand:
    """A main window with the parts about connections over fakes, in one thread."""

    def __init__(self, app: QApplication, theme: Theme) -> None:
        self.booth = Booth(app, theme)
        self.theme = theme
        self.model = self.booth.model
        self.shell = self.booth.shell
        self.servers = FakeServers(self.publish)
        self.doctor = FakeDoctor(usual())
        node = SimpleNamespace(servers=self.servers, doctor=self.doctor)
        self.bridge = cast("Bridge", Straight(node))
        self.connections = Connections(self.shell, theme, self.model, self.bridge)
        self.door = Doorkeeper(self.booth.view, self.model, self.bridge)
        members = [
            Member(person(n), name, Role.OWNER if n == 0 else Role.MEMBER, (), n == 0)
            for n, name in enumerate(NAMES)
        ]
        self.model.take_members(TEAM, members)
        online = PresenceState.ONLINE
        self.model.take_presence(
            Presence(person(n), online, "Fitting the mast" if n == 2 else "", None, 1)
            for n in (1, 2)
        )
        ago = replace(peer(3, None), last_seen_ms=NOW_MS)
        self.model.take_peers([peer(1, Way.LAN), peer(2, Way.RELAY), ago])

    def publish(self, event: told.Event) -> None:
        """As the feed does."""
        if isinstance(event, told.ServersChanged):
            self.model.take_servers(event.servers)

    def close(self) -> None:
        """Everything goes."""
        if self.connections.dialog is not None:
            self.connections.dialog.reject()
        self.connections.close()
        self.booth.close()


def servers_none(stand: Stand) -> QWidget:
    stand.connections.open_servers()
    assert stand.connections.dialog is not None
    return stand.connections.dialog


def servers(stand: Stand) -> QWidget:
    stand.servers.held = [READY, AWAY]
    stand.servers.tell()
    return servers_none(stand)


def servers_wrong(stand: Stand) -> QWidget:
    stand.servers.held = [READY]
    stand.servers.tell()
    dialog = servers_none(stand)
    assert stand.connections.dialog is not None
    stand.connections.dialog.url.setText("talk example")
    stand.connections.dialog.add.click()
    return dialog


def servers_remove(stand: Stand) -> QWidget:
    dialog = servers(stand)
    assert stand.connections.dialog is not None
    stand.connections.dialog.rows[0].remove.click()
    return dialog


def servers_many(stand: Stand) -> QWidget:
    stand.servers.held = [replace(READY, url=f"wss://talk-{n}.example.org") for n in range(8)]
    stand.servers.tell()
    return servers_none(stand)


def doctor(stand: Stand) -> QWidget:
    stand.connections.open_doctor()
    assert stand.connections.window is not None
    return stand.connections.window


def doctor_open(stand: Stand) -> QWidget:
    window = doctor(stand)
    stand.connections.open_doctor(person(2))
    return window


def doctor_missing(stand: Stand) -> QWidget:
    window = doctor(stand)
    stand.connections.open_doctor(person(3))
    return window


def doctor_empty(stand: Stand) -> QWidget:
    stand.doctor.found = report(
        summary="Nobody else is in your teams yet.", servers=(), seen=0, discovery="on"
    )
    return doctor(stand)


def doctor_alone(stand: Stand) -> QWidget:
    stand.doctor.found = report(
        missing(1),
        missing(2),
        summary="This computer is on no network.",
        advice=("Connect a cable, or choose a wireless network.", "Switch the VPN off."),
        interfaces=(),
        listening=(),
        discovery="failed",
        seen=0,
        servers=(AWAY,),
    )
    return doctor(stand)


def doctor_full(stand: Stand) -> QWidget:
    stand.doctor.found = report(
        *crowd(), summary="40 of 200 computers of your teams are not reached."
    )
    return doctor(stand)


def doctor_checks(stand: Stand) -> QWidget:
    doctor(stand)
    window = stand.connections.window
    assert window is not None
    window.begin_check()
    QTest.qWait(900)
    return window


def doctor_tries(stand: Stand) -> QWidget:
    stand.doctor.scan("192.168.1.0/24:7000")
    window = doctor(stand)
    assert stand.connections.window is not None
    stand.connections.window.computer.try_button.click()
    stand.connections.window.computer.trying.say(
        "Nobody of your teams answers at 192.168.1.4:7000.", bad=True
    )
    return window


def doctor_fails(stand: Stand) -> QWidget:
    stand.doctor.fault = UserError("away", "The node does not answer.", "It is started again.")
    return doctor(stand)


def card(stand: Stand) -> QWidget:
    return _card(stand, 2)


def card_missing(stand: Stand) -> QWidget:
    return _card(stand, 3)


def _card(stand: Stand, number: int) -> QWidget:
    stand.booth.refresh(MARA)
    anchor = QRect(stand.shell.mapToGlobal(QPoint(700, 60)), stand.booth.view.header.reach.size())
    stand.connections.show_card(person(number), anchor)
    return stand.shell


def direct(stand: Stand) -> QWidget:
    stand.booth.refresh(MARA)
    return stand.shell


def members(stand: Stand) -> QWidget:
    view = stand.booth.view
    view.right.show_members("#boat-hull")
    view.set_right_open(True)
    view.right.members.show_members(member_states(stand.model, TEAM))
    stand.booth.refresh(MARA)
    return stand.shell


def notices(stand: Stand) -> QWidget:
    stand.model.take_notice(
        "servers_away",
        "Your server talk.example.org cannot be reached.",
        "Direct links go on; everybody else is met again as soon as it answers.",
    )
    stand.door._tell_away()
    return stand.shell


def no_network(stand: Stand) -> QWidget:
    stand.model.take_notice(
        "no_network",
        "This computer is on no network.",
        "What you write is safe here; it is sent as soon as there is a network.",
    )
    return stand.shell


def link(*addresses: str) -> str:
    """An invitation."""
    made = InviteLink(TEAM, EntryId(bytes(32)), bytes(32), "Harbour Studio", addresses)
    return write_link(made)


def invite_near(stand: Stand) -> QWidget:
    form = InviteDialog(stand.shell, stand.theme, "Harbour Studio")
    form.say_where_it_leads(())
    form.open()
    return form


def invite_made(stand: Stand) -> QWidget:
    form = InviteDialog(stand.shell, stand.theme, "Harbour Studio")
    form.open()
    old = Invite(EntryId(bytes(32)), TEAM, link("10.0.0.7:7000"), Role.MEMBER, NOW_MS, 3)
    new = replace(old, link=link(TALK, "10.0.0.7:7000"), uses_left=None)
    form.show_invites([new, old])
    form.show_made(new)
    return form


def settings(stand: Stand) -> QWidget:
    words = ("harbour", "mast", "copper", "lantern")
    me = Identity(PersonId(bytes(32)), DeviceId(bytes(32)), "Elin Aas", "elin-laptop", words, "0.1")
    form = SettingsDialog(stand.shell, stand.theme, me)
    form.open()
    return form


def pasted(stand: Stand) -> QWidget:
    view = _start(stand)
    view.show_step(Step.PASTE)
    view.paste.link.setText(link(TALK))
    view.paste.say_what_it_is(
        "Invitation to Harbour Studio. " + open_invitation(link(TALK)).meeting
    )
    return view


def invited(stand: Stand) -> QWidget:
    view = _start(stand)
    view.welcome.show_invitation("Harbour Studio", open_invitation(link(TALK)).meeting)
    return view


def invited_dialog(stand: Stand) -> QWidget:
    invitation = open_invitation(link(TALK))
    form = InvitedDialog(stand.shell, stand.theme, invitation, "Elin Aas")
    form.set_busy(False)
    form.open()
    return form


def joining(stand: Stand) -> QWidget:
    view = _start(stand)
    view.joining.show_joining(
        Joining("Harbour Studio", "", "", waiting=False, server="talk.example.org")
    )
    view.show_step(Step.JOINING)
    return view


def start(stand: Stand) -> QWidget:
    view = _start(stand)
    view.welcome.say_offer("Harbour Studio", "talk.example.org")
    return view


def _start(stand: Stand) -> StartView:
    view = StartView(stand.theme)
    view.resize(1000, 640)
    view.welcome.name.setText("Elin Aas")
    view.welcome.computer.setText("elin-laptop")
    stand.booth.kept.append(view)
    view.show()
    return view


SCENES: dict[str, Scene] = {
    "servers-none": servers_none,
    "servers": servers,
    "servers-wrong": servers_wrong,
    "servers-remove": servers_remove,
    "servers-many": servers_many,
    "doctor": doctor,
    "doctor-open": doctor_open,
    "doctor-missing": doctor_missing,
    "doctor-empty": doctor_empty,
    "doctor-alone": doctor_alone,
    "doctor-full": doctor_full,
    "doctor-checks": doctor_checks,
    "doctor-tries": doctor_tries,
    "doctor-fails": doctor_fails,
    "card": card,
    "card-missing": card_missing,
    "direct": direct,
    "members": members,
    "notices": notices,
    "no-network": no_network,
    "invite-near": invite_near,
    "invite-made": invite_made,
    "settings": settings,
    "pasted": pasted,
    "invited": invited,
    "invited-dialog": invited_dialog,
    "joining": joining,
    "start": start,
}
NARROW = (
    "doctor-tries",
    "doctor",
    "doctor-open",
    "doctor-alone",
    "doctor-full",
    "direct",
    "members",
    "notices",
    "start",
    "invited",
)


def main() -> None:
    """Draw the scenes named after the folder, or all."""
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[2:] or list(SCENES)
    app = QApplication(sys.argv[:1])
    theme = Theme(app, Mode.LIGHT)
    for mode in (Mode.LIGHT, Mode.DARK):
        theme.set_mode(mode)
        for name in wanted:
            stand = Stand(app, theme)
            stand.shell.show()
            window = SCENES[name](stand)
            QTest.qWait(60)
            window.grab().save(str(target / f"{name}-{mode.value}.png"))
            if name in NARROW:
                window.resize(420, 640)
                QTest.qWait(30)
                window.grab().save(str(target / f"{name}-narrow-{mode.value}.png"))
            if window is not stand.shell:
                window.close()
            stand.close()
            QTest.qWait(10)


if __name__ == "__main__":
    main()
