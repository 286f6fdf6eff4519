"""The start screen: starting, asking, following an invitation, and being alone at first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from folkmoot.domain.ids import EntryId
from folkmoot.protocol.invites import InviteLink, read_link, write_link
from folkmoot.services import events, joining
from folkmoot.services.values import JoinRequest
from folkmoot.ui.main.empty import AloneState
from folkmoot.ui.start.nearby_list import NearbyTeamRow
from ui.town import Person, Town
from ui.window import Open, Window, words_in


def look_nearby(window: Window, team: str) -> NearbyTeamRow:
    """Wait for a team on this network; its row."""
    rows = window.start_view.nearby
    window.until(lambda: [row.row.name for row in rows.rows] == [team])
    return rows.rows[0]


def waiting_at(person: Person, window: Window) -> JoinRequest:
    """Wait until somebody asks this person; what they ask."""
    window.until(lambda: person.look(lambda node: node.joining.requests()))
    return person.look(lambda node: node.joining.requests())[0]


def follow(window: Window, link: str) -> None:
    """Paste an invitation and press Return."""
    window.click(window.start_view.welcome.paste)
    QGuiApplication.clipboard().setText(link)
    window.press(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    window.press(Qt.Key.Key_Return)


def test_a_team_is_started_with_return_alone_and_the_main_window_opens(
    open_window: Open, elin: Person
) -> None:
    window = open_window(elin)
    window.press(Qt.Key.Key_Return)
    window.type("Harbour Studio\n")
    window.until_open("#general – Harbour Studio")
    assert [t.name for t in elin.look(lambda node: node.teams.list())] == ["Harbour Studio"]
    assert window.main.view.conversation.is_empty


def test_the_name_typed_is_the_name_that_others_see(
    open_window: Open, elin: Person, mara: Person
) -> None:
    window = open_window(elin)
    window.press(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    window.type("Elin A.\n")
    window.type("Harbour Studio\n")
    window.until_open("#general")
    team = elin.look(lambda node: node.teams.list())[0].id
    mara.join(elin.invite(team))

    def names() -> list[str]:
        return sorted(m.name for m in mara.look(lambda node: node.teams.members(team)))

    window.until(lambda: names() == ["Elin A.", "Mara Oduya"])


def test_a_team_that_is_not_shown_is_invisible_to_others(
    open_window: Open, town: Town, elin: Person, mara: Person
) -> None:
    window = open_window(elin)
    window.press(Qt.Key.Key_Return)
    window.type("Quiet Room")
    window.click(window.start_view.name_team.visible)
    window.press(Qt.Key.Key_Return)
    window.click(window.start_view.name_team.start)
    window.until_open("#general – Quiet Room")
    loud = town.person("Tomas Lind")
    loud.found("Loud Room")
    mara.look(lambda node: node.nearby.start())
    window.until(lambda: mara.look(lambda node: node.nearby.teams()))
    assert [t.name for t in mara.look(lambda node: node.nearby.teams())] == ["Loud Room"]


def test_who_asks_sees_the_same_words_as_who_admits_and_the_team_opens(
    open_window: Open, elin: Person, mara: Person
) -> None:
    team = mara.found("Harbour Studio")
    window = open_window(elin)
    row = look_nearby(window, "Harbour Studio")
    window.click(row.button)
    request = waiting_at(mara, window)
    assert request.name == "Elin Aas"
    window.until(lambda: " ".join(request.words) in " ".join(row.words_shown().split()))
    mara.do(lambda node: node.joining.admit(team, request.person))
    window.until_open("#general – Harbour Studio")
    window.write("Here I am")
    window.until(lambda: mara.reads("general") == ["Here I am"])


def test_a_declined_request_says_so_and_who_is_blocked_cannot_ask_again(
    open_window: Open, elin: Person, mara: Person
) -> None:
    team = mara.found("Harbour Studio")
    window = open_window(elin)
    row = look_nearby(window, "Harbour Studio")
    window.click(row.button)
    request = waiting_at(mara, window)
    mara.do(lambda node: node.joining.decline(team, request.person, block=True))
    window.until(lambda: "Harbour Studio did not let you in." in row.words_shown())
    asked: list[events.Event] = []
    answers: list[events.Event] = []
    mara.listen(asked.append)
    elin.listen(answers.append)
    window.until(lambda: row.button.text() == "Ask to join")
    window.click(row.button)
    declined = events.AskAnswered(team, "Harbour Studio", "declined")
    window.until(lambda: declined in answers)
    window.until(lambda: "Harbour Studio did not let you in." in words_in(row))
    assert not [event for event in asked if isinstance(event, events.JoinRequestsChanged)]


def test_a_request_is_taken_back(open_window: Open, elin: Person, mara: Person) -> None:
    mara.found("Harbour Studio")
    window = open_window(elin)
    row = look_nearby(window, "Harbour Studio")
    window.click(row.button)
    waiting_at(mara, window)
    window.until(lambda: row.button.text() == "Cancel")
    window.click(row.button)
    window.until(lambda: row.button.text() == "Ask to join")
    window.until(lambda: "Waiting" not in words_in(row))


def test_what_is_not_an_invitation_is_said_at_once(open_window: Open, elin: Person) -> None:
    window = open_window(elin)
    window.click(window.start_view.welcome.paste)
    window.type("https://example.org/join\n")
    assert "This is not an invitation." in window.start_view.paste.problem.text()


def test_an_invitation_on_the_clipboard_is_offered_and_followed_only_when_pressed(
    open_window: Open, elin: Person, mara: Person
) -> None:
    team = mara.found("Harbour Studio")
    window = open_window(elin)
    welcome = window.start_view.welcome
    QGuiApplication.clipboard().setText(mara.invite(team))
    window.until(lambda: "Invitation to Harbour Studio copied." in words_in(welcome))
    assert welcome.isVisible()
    assert len(mara.look(lambda node: node.teams.members(team))) == 1
    window.click_text("Use it")
    window.until_open("#general – Harbour Studio")
    assert len(mara.look(lambda node: node.teams.members(team))) == 2


def test_an_expired_invitation_is_said_and_leads_back(
    open_window: Open, elin: Person, mara: Person
) -> None:
    team = mara.found("Harbour Studio")
    link = mara.invite(team, expires_s=60)
    mara.clock.ahead_ms = 61_000
    window = open_window(elin)
    follow(window, link)
    joining = window.start_view.joining
    window.until(lambda: joining.problem.text() == "This invitation has expired.")
    assert joining.state.text() == "Ask for a new one."
    window.click_text("Back")
    assert window.start_view.welcome.isVisible()


def test_an_invitation_that_was_used_up_is_said(
    open_window: Open, town: Town, elin: Person, mara: Person
) -> None:
    link = mara.invite(mara.found("Harbour Studio"), uses=1)
    town.person("Tomas Lind").join(link)
    window = open_window(elin)
    follow(window, link)
    words = "This invitation has been used as often as it may be."
    window.until(lambda: window.start_view.joining.problem.text() == words)


def test_an_invitation_that_nobody_made_is_said(
    open_window: Open, elin: Person, mara: Person
) -> None:
    real = read_link(mara.invite(mara.found("Harbour Studio")))
    forged = InviteLink(
        real.team, EntryId(bytes(32)), real.seed, real.team_name, tuple(real.addresses)
    )
    window = open_window(elin)
    follow(window, write_link(forged))
    window.until(lambda: window.start_view.joining.state.text() != "")
    window.until(
        lambda: (
            window.start_view.joining.problem.text() == "This invitation is not known in the team."
        )
    )


def test_with_nobody_reachable_the_invitation_is_kept_and_the_team_opens_by_itself(
    open_window: Open, elin: Person, mara: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "JOIN_S", 0.2)
    link = mara.invite(mara.found("Harbour Studio"))
    mara.close()
    window = open_window(elin)
    follow(window, link)
    state = window.start_view.joining.state
    window.until(lambda: "Nobody of Harbour Studio is reachable right now." in state.text())
    assert "The invitation is kept" in state.text()
    mara.start()
    window.until_open("#general – Harbour Studio")


def test_a_kept_invitation_can_be_given_up(
    open_window: Open, elin: Person, mara: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "JOIN_S", 0.2)
    team = mara.found("Harbour Studio")
    link = mara.invite(team)
    mara.close()
    window = open_window(elin)
    follow(window, link)
    window.until(lambda: "is reachable right now" in window.start_view.joining.state.text())
    window.click_text("Cancel")
    assert window.start_view.welcome.isVisible()
    window.until(lambda: not elin.do(lambda node: node.settings.get("join." + team.hex())))
    mara.start()
    look_nearby(window, "Harbour Studio")
    assert elin.look(lambda node: node.teams.list()) == []


def test_without_a_name_nothing_begins(open_window: Open, elin: Person) -> None:
    window = open_window(elin)
    window.press(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    window.press(Qt.Key.Key_Delete)
    window.click(window.start_view.welcome.start)
    assert "Type your name" in window.start_view.welcome.problem.text()
    assert window.start_view.welcome.isVisible()


def test_alone_in_a_team_the_invitation_is_right_there_and_works(
    open_window: Open, elin: Person, mara: Person
) -> None:
    elin.found("Harbour Studio")
    window = open_window(elin)
    window.until_open("#general")
    state = window.shell.findChild(AloneState)
    assert state is not None
    window.click(state.invite)
    window.until(lambda: QGuiApplication.clipboard().text().startswith("folkmoot://join/"))
    assert state.line.isVisible()
    mara.join(QGuiApplication.clipboard().text())
    window.until(lambda: window.main.view.header.members.accessibleName() == "Members: 2")
    window.until(lambda: window.shell.findChild(AloneState) is None)


def test_a_joiner_sees_the_first_channel_as_soon_as_it_arrives(
    open_window: Open, elin: Person, mara: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = mara.invite(mara.found("Harbour Studio"))
    held: list[Callable[[], None]] = []
    listen = elin.listen

    def channels_later(fn: Callable[[events.Event], None]) -> None:
        """The window hears of channels only when the test lets it."""

        def take(event: events.Event) -> None:
            if isinstance(event, events.ConversationChanged):
                held.append(lambda: fn(event))
            else:
                fn(event)

        listen(take)

    monkeypatch.setattr(elin, "listen", channels_later)
    window = open_window(elin)
    follow(window, link)
    window.until(lambda: window.session.main is not None and window.main.team)
    assert not window.main.view.conversation.composer.isEnabled()
    assert not window.main.view.header.members.isVisible()
    window.until(lambda: held)

    def let_go() -> bool:
        while held:
            held.pop(0)()
        return window.shell.windowTitle().startswith("#general")

    window.until(let_go)  # it may be told of the channel more than once
    assert window.main.view.conversation.composer.isEnabled()
