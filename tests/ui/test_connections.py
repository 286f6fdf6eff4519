"""Servers in the settings, how each person is reached, and the words around invitations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QPushButton

from fakes.connections import FakeDoctor, FakeServers
from folkmoot.domain.ids import ConversationId, EntryId
from folkmoot.protocol.invites import InviteLink, write_link
from folkmoot.services.events import NoticeChanged, PeerChanged
from folkmoot.services.values import Invite, LinkState, Role, ServerPhase, Way
from folkmoot.ui.connections.card import ReachCard
from folkmoot.ui.connections.servers import ConnectionsDialog
from folkmoot.ui.connections.window import DoctorWindow
from folkmoot.ui.dialogs.invite import InviteDialog
from folkmoot.ui.dialogs.settings import SettingsDialog
from ui.connection_samples import AWAY, READY, TALK, over_server, relayed, report, usual
from ui.town import Person
from ui.window import Open, Window, dialog, words_in


@dataclass
class Stand:
    """Elin's window, and what her node says of servers and of the doctor."""

    window: Window
    elin: Person
    mara: Person
    servers: FakeServers
    doctor: FakeDoctor

    def tell(self, act: Callable[[], object]) -> None:
        """Do something on the node's loop."""
        self.elin.look(lambda _: act())

    def hold(self, *servers: Any) -> None:
        """Have these servers."""

        def put() -> None:
            self.servers.held = list(servers)
            self.servers.tell()

        self.tell(put)

    def reach(self, way: Way | None) -> None:
        """Mara is reached this way now, as the node would tell it."""
        (known,) = self.elin.look(lambda node: node.peers.list())
        made = replace(known, state=LinkState.UNREACHABLE, address="", rtt_ms=None)
        if way is Way.RELAY:
            made = replace(made, state=LinkState.LINKED, way=way, address=relayed(1), rtt_ms=84.2)

        def tell() -> None:
            peers = cast("Any", self.elin.node.peers)
            peers.list = lambda: [made]
            peers._peer = lambda *_: made  # a link that comes or goes tells no other way
            self.elin.node.events.publish(PeerChanged(made))

        self.tell(tell)

    def open_servers(self) -> ConnectionsDialog:
        """By mouse, through the settings."""
        self.window.click(self.window.main.view.side_bar.settings)
        self.window.until(dialog)
        form = dialog()
        assert isinstance(form, SettingsDialog)
        self.window.click(form.connections)
        self.window.until(lambda: isinstance(dialog(), ConnectionsDialog))
        made = dialog()
        assert isinstance(made, ConnectionsDialog)
        return made

    def doctor_window(self) -> DoctorWindow:
        """Once it has shown a report."""

        def shown() -> bool:
            window = self.window.session.connections.window
            return window is not None and window.isVisible() and bool(window.when.text())

        self.window.until(shown)
        window = self.window.session.connections.window
        assert window is not None
        return window

    def card(self) -> ReachCard:
        """The card of a person that is open."""

        def found() -> ReachCard | None:
            return self.window.shell.findChild(ReachCard)

        self.window.until(found)
        card = found()
        assert card is not None
        return card


@pytest.fixture
def stand(open_window: Open, elin: Person, mara: Person, team: ConversationId) -> Iterator[Stand]:
    """Elin's main window, with #general open."""
    node = cast("Any", elin.node)
    servers = node.servers = FakeServers(elin.node.events.publish)
    doctor = node.doctor = FakeDoctor(usual())
    window = open_window(elin)
    window.until_open("#general")
    window.until(lambda: window.session.model.peers_of(mara.id))
    yield Stand(window, elin, mara, servers, doctor)
    while isinstance(still_open := QApplication.activeModalWidget(), QDialog):
        still_open.reject()


# --- servers


def test_a_server_is_added_by_keyboard_and_says_how_it_stands(stand: Stand) -> None:
    form = stand.open_servers()
    assert "only people on this network" in words_in(form)
    assert "learns no names, no texts and no files" in form.learns.text()
    assert form.url.hasFocus()
    stand.window.type("talk.example.org")
    stand.window.press(Qt.Key.Key_Return)
    stand.window.until(lambda: form.rows)
    (row,) = form.rows
    assert "Connecting…" in words_in(row)
    stand.window.until(lambda: form.url.text() == "")
    assert form.url.hasFocus()
    stand.tell(lambda: stand.servers.change(TALK, phase=ServerPhase.READY, people=3, rtt_ms=24.0))
    stand.window.until(lambda: "3 computers of your teams are there" in words_in(row))
    assert form.rows == [row]
    assert row.accessibleName().startswith("talk.example.org. Connected, 3 computers")


def test_what_is_not_an_address_is_said_under_the_field_until_it_is_changed(stand: Stand) -> None:
    form = stand.open_servers()
    stand.window.type("talk example\n")
    stand.window.until(form.fault.isVisible)
    assert "is not the address of a server" in form.fault.text()
    assert form.url.text() == "talk example"
    stand.window.until(form.add.isEnabled)
    stand.window.press(Qt.Key.Key_Backspace)
    assert not form.fault.isVisible()
    assert stand.servers.held == []


def test_more_servers_than_may_be_are_refused_with_words(stand: Stand) -> None:
    stand.hold(*(replace(READY, url=f"wss://talk-{n}.example.org") for n in range(8)))
    form = stand.open_servers()
    stand.window.type("one-more.example.org\n")
    stand.window.until(lambda: "There are 8 servers already." in form.fault.text())


def test_nothing_is_added_from_an_empty_field(stand: Stand) -> None:
    form = stand.open_servers()
    assert not form.add.isEnabled()
    stand.window.press(Qt.Key.Key_Return)
    stand.window.type("   ")
    stand.window.press(Qt.Key.Key_Return)
    assert form.isVisible()
    assert stand.servers.held == []


def test_a_server_that_is_away_says_why_and_what_to_do(stand: Stand) -> None:
    stand.hold(AWAY)
    form = stand.open_servers()
    (row,) = form.rows
    said = words_in(row)
    assert "Not reached. Nothing answers at 10.0.0.5:8480." in said
    assert "Check that the server runs" in said
    assert "ws://10.0.0.5:8480" in said  # without TLS: that must be seen
    assert "Check that the server runs" in row.accessibleName()


def test_removing_asks_first_and_takes_only_that_row(stand: Stand) -> None:
    stand.hold(READY, AWAY)
    form = stand.open_servers()
    first, second = form.rows
    stand.window.click(first.remove)
    assert form.confirmation.isVisible()
    assert "messages that wait there for you stay there" in words_in(form.confirmation)
    assert form.confirmation.keep.hasFocus()
    stand.window.press(Qt.Key.Key_Return)
    assert not form.confirmation.isVisible()
    assert stand.servers.held == [READY, AWAY]
    assert first.remove.hasFocus()
    stand.window.click(first.remove)
    stand.window.click(form.confirmation.delete)
    stand.window.until(lambda: form.rows == [second])
    assert stand.servers.held == [AWAY]


def test_a_question_about_a_server_that_goes_by_itself_goes_too(stand: Stand) -> None:
    stand.hold(READY, AWAY)
    form = stand.open_servers()
    stand.window.click(form.rows[0].remove)
    stand.hold(AWAY)
    stand.window.until(lambda: not form.confirmation.isVisible())
    assert len(form.rows) == 1
    assert form.url.hasFocus()


def test_the_dialog_leads_to_the_doctor(stand: Stand) -> None:
    form = stand.open_servers()
    stand.window.click(form.doctor)
    assert stand.doctor_window().isVisible()
    stand.window.until(lambda: dialog() is None)


# --- how each person is reached


def test_the_list_of_members_says_who_is_met_over_a_server_and_who_is_not_reached(
    stand: Stand,
) -> None:
    stand.window.click(stand.window.main.view.header.members)
    members = stand.window.main.view.right.members
    row = members.row(stand.mara.id)
    assert row is not None
    assert "over" not in row.accessibleName()
    stand.reach(Way.RELAY)
    stand.window.until(lambda: "over talk.example.org" in row.accessibleName())
    stand.reach(None)
    stand.window.until(lambda: "Not reached" in row.accessibleName())
    assert members.row(stand.mara.id) is row


def open_direct(stand: Stand) -> None:
    """The conversation with Mara."""
    stand.window.click(stand.window.main.view.header.members)
    row = stand.window.main.view.right.members.row(stand.mara.id)
    assert row is not None
    stand.window.click(row)
    stand.window.until_open("Mara Oduya")


def test_over_a_direct_conversation_stands_how_the_person_is_reached(stand: Stand) -> None:
    open_direct(stand)
    header = stand.window.main.view.header
    stand.window.until(lambda: header.reach.isVisible())
    stand.window.until(lambda: header.reach.accessibleName().startswith("On this network"))
    stand.reach(Way.RELAY)
    stand.window.until(lambda: "over talk.example.org" in header.topic.accessibleName())
    assert header.reach.accessibleName() == (
        "Over talk.example.org, 84 ms. How Mara Oduya is reached…"
    )
    stand.window.click(stand.window.row("general"))
    stand.window.until_open("#general")
    assert not header.reach.isVisible()


def test_the_card_of_a_person_says_why_and_leads_to_the_doctor_by_keyboard(stand: Stand) -> None:
    stand.doctor.found = report(
        over_server(2, who=stand.mara.id, name="Mara Oduya", computer="mara-desk")
    )
    open_direct(stand)
    header = stand.window.main.view.header
    stand.window.until(header.reach.isVisible)
    header.reach.setFocus()
    stand.window.press(Qt.Key.Key_Space)
    card = stand.card()
    said = words_in(card)
    assert "Over talk.example.org, 84 ms" in said
    assert "a server hands everything on" in said
    assert "a server hands everything on" in card.accessibleName()
    stand.window.until(card.doctor.hasFocus)
    stand.window.press(Qt.Key.Key_Space)
    window = stand.doctor_window()
    (row,) = window.rows
    stand.window.until(lambda: row.details is not None and row.details.isVisible())
    assert stand.window.shell.findChild(ReachCard) is None or not card.isVisible()


def test_escape_closes_the_card_and_gives_the_keyboard_back(stand: Stand) -> None:
    open_direct(stand)
    header = stand.window.main.view.header
    stand.window.until(header.reach.isVisible)
    header.reach.setFocus()
    stand.window.press(Qt.Key.Key_Space)
    card = stand.card()
    stand.window.until(card.doctor.hasFocus)
    stand.window.press(Qt.Key.Key_Escape)
    stand.window.until(header.reach.hasFocus)


def test_the_menu_of_a_member_opens_the_card(stand: Stand) -> None:
    stand.window.click(stand.window.main.view.header.members)
    row = stand.window.main.view.right.members.row(stand.mara.id)
    assert row is not None
    QTest.mouseClick(row, Qt.MouseButton.RightButton, pos=QPoint(40, 20))
    event = _menu_event(row)
    QApplication.sendEvent(row, event)
    stand.window.choose("How Mara Oduya is reached…")
    assert "On this network" in words_in(stand.card())


def _menu_event(row: QPushButton) -> Any:
    from PySide6.QtGui import QContextMenuEvent

    place = QPoint(40, 20)
    return QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, row.mapToGlobal(place))


# --- notices


def tell_notice(stand: Stand, code: str, message: str) -> None:
    """As the node does."""
    told = NoticeChanged(code, message, "")
    stand.tell(lambda: stand.elin.node.events.publish(told))


def test_the_notice_of_no_network_leads_to_the_doctor(stand: Stand) -> None:
    tell_notice(stand, "no_network", "This computer is on no network.")
    stand.window.until(lambda: "no network" in stand.window.notices())
    stand.window.click_text("Find out why")
    assert stand.doctor_window().isVisible()


def test_an_update_while_it_runs_offers_to_restart(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(QApplication, "closeAllWindows", lambda: ended.append("windows"))
    monkeypatch.setattr(QApplication, "quit", lambda: ended.append("program"))
    tell_notice(stand, "updated", "Folkmoot was updated.")
    stand.window.until(lambda: "Folkmoot was updated." in stand.window.notices())
    assert not stand.window.shell.starts_again
    stand.window.click_text("Restart")
    assert stand.window.shell.starts_again
    assert ended == ["windows", "program"]


def test_servers_that_stay_away_are_told_until_one_is_back(stand: Stand) -> None:
    stand.window.main.door.patience.setInterval(50)
    tell_notice(stand, "servers_away", "Your server cannot be reached.")
    stand.window.until(lambda: "Your server cannot be reached." in stand.window.notices())
    stand.window.click_text("Find out why")
    assert stand.doctor_window().isVisible()
    tell_notice(stand, "servers_away", "")
    stand.window.until(lambda: stand.window.notices() == "")


def test_a_notice_that_goes_leaves_the_keyboard_to_the_composer(stand: Stand) -> None:
    stand.window.main.door.patience.setInterval(50)
    tell_notice(stand, "servers_away", "Your server cannot be reached.")
    stand.window.until(lambda: "Your server cannot be reached." in stand.window.notices())
    (button,) = (
        each
        for each in stand.window.main.door.cards.findChildren(QPushButton)
        if each.text() == "Find out why"
    )
    stand.window.until(lambda: button.isVisible())
    button.setFocus()
    tell_notice(stand, "servers_away", "")
    stand.window.until(lambda: stand.window.notices() == "")
    composer = stand.window.main.view.conversation.composer
    focus = QApplication.focusWidget()
    assert focus is not None
    assert composer.isAncestorOf(focus)


def test_a_server_that_starts_anew_is_not_worth_a_notice(stand: Stand) -> None:
    patience = stand.window.main.door.patience
    assert patience.interval() >= 10_000
    tell_notice(stand, "servers_away", "Your server cannot be reached.")
    stand.window.until(patience.isActive)
    assert stand.window.notices() == ""
    tell_notice(stand, "servers_away", "")
    stand.window.until(lambda: not patience.isActive())


def test_without_a_network_servers_are_not_told_beside_it(stand: Stand) -> None:
    stand.window.main.door.patience.setInterval(10)
    tell_notice(stand, "servers_away", "Your server cannot be reached.")
    stand.window.until(lambda: "Your server" in stand.window.notices())
    tell_notice(stand, "no_network", "This computer is on no network.")
    alone = "This computer is on no network."
    stand.window.until(lambda: stand.window.notices().strip() == alone)
    tell_notice(stand, "no_network", "")
    back = "Your server cannot be reached."
    stand.window.until(lambda: stand.window.notices().strip() == back)


# --- invitations


def link(team: ConversationId, *addresses: str) -> str:
    """An invitation to Harbour Studio."""
    made = InviteLink(team, EntryId(b"i" * 32), b"s" * 32, "Harbour Studio", addresses)
    return write_link(made)


def test_the_invite_dialog_says_from_where_a_link_works(stand: Stand, team: ConversationId) -> None:
    stand.hold(READY)
    stand.window.until(lambda: stand.window.session.model.servers)
    stand.window.click(stand.window.main.view.side_bar.team)
    stand.window.choose("Invite people…")
    stand.window.until(dialog)
    form = dialog()
    assert isinstance(form, InviteDialog)
    assert form.where.text() == "Links work from everywhere, over talk.example.org."
    assert not form.add_server.isVisible()
    stand.window.click(form.make)
    over = "This link works from everywhere, over talk.example.org."
    stand.window.until(lambda: form.where.text() == over)
    stand.hold()
    stand.window.click(form.make)  # what stands there is true of the link that is shown
    stand.window.until(lambda: form.where.text().startswith("This link works on this network only"))
    stand.window.until(form.add_server.isVisible)


def test_without_a_server_the_invite_dialog_leads_to_adding_one(stand: Stand) -> None:
    stand.window.click(stand.window.main.view.header.members)
    stand.window.click(stand.window.main.view.right.members.invite)
    stand.window.until(dialog)
    form = dialog()
    assert isinstance(form, InviteDialog)
    assert "on this network only" in form.where.text()
    stand.window.click(form.add_server)
    stand.window.until(lambda: isinstance(dialog(), ConnectionsDialog))


def test_links_made_before_say_from_where_they_work(stand: Stand, team: ConversationId) -> None:
    form = InviteDialog(stand.window.shell, stand.window.session._theme, "Harbour Studio")
    near = Invite(EntryId(b"i" * 32), team, link(team, "10.0.0.7:7000"), Role.MEMBER, None, None)
    form.show_invites([near, replace(near, link=link(team, "10.0.0.7:7000", TALK))])
    form.open()
    assert "this network" in words_in(form)
    assert "from everywhere" in words_in(form)
    form.reject()


def test_the_start_screen_says_where_an_invitation_connects_before_it_does(
    open_window: Open, elin: Person
) -> None:
    window = open_window(elin)
    team = ConversationId(b"t" * 32)
    view = window.start_view
    QGuiApplication.clipboard().setText(link(team, TALK))
    window.until(lambda: "It connects to talk.example.org" in words_in(view.welcome))
    window.click(view.welcome.paste)
    window.press(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "connects to talk.example.org" in view.paste.hint.text()
    assert "no names and no texts" in view.paste.hint.text()
    window.press(Qt.Key.Key_Return)
    window.until(lambda: view.joining.title.text() == "Joining Harbour Studio")
    window.until(lambda: "talk.example.org" in view.joining.state.text() or view.joining.problem)


def test_an_invitation_without_a_server_says_that_it_works_on_the_network(
    open_window: Open, elin: Person
) -> None:
    window = open_window(elin)
    view = window.start_view
    window.click(view.welcome.paste)
    QGuiApplication.clipboard().setText(link(ConversationId(b"t" * 32), "10.0.0.7:7000"))
    window.press(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "This invitation works on the network of the team." in view.paste.hint.text()


def test_where_nobody_is_seen_the_start_screen_leads_to_the_doctor(
    open_window: Open, elin: Person
) -> None:
    cast("Any", elin.node).doctor = FakeDoctor(report(summary="Nobody is here."))
    window = open_window(elin)
    window.click(window.start_view.nearby.why)
    window.until(lambda: window.session.connections.window is not None)
    made = window.session.connections.window
    assert made is not None
    window.until(lambda: "Nobody is here." in words_in(made))
    assert "Nobody else is in your teams yet" in made.nobody.text()
