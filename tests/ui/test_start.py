"""The start screen: starting, asking, following an invitation, and being alone at first."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from folkmoot.domain.ids import ConversationId
from folkmoot.services import events as told
from folkmoot.services.values import NearbyTeam
from folkmoot.ui.main.empty import AloneState
from ui.fake_node import FakeNode, key
from ui.window import Open


def test_a_team_is_started_with_return_alone_and_the_main_window_opens(
    open_window: Open, fake: FakeNode
) -> None:
    window = open_window(fake)
    window.press(Qt.Key.Key_Return)
    window.type("Harbour Studio\n")
    window.until(lambda: window.session.main is not None and window.main.conversation)
    assert [t.name for t in fake.team_map.values()] == ["Harbour Studio"]
    assert window.shell.windowTitle().startswith("#general – Harbour Studio")
    assert window.main.view.conversation.is_empty


def test_asking_shows_the_words_and_an_answer_opens_the_team(
    open_window: Open, fake: FakeNode
) -> None:
    team = ConversationId(key("team Harbour Studio"))
    fake.nearby_list = [NearbyTeam(team, "Harbour Studio", 7, False)]
    window = open_window(fake)
    window.until(lambda: window.start_view.nearby.rows)
    row = window.start_view.nearby.rows[0]
    window.click(row.button)
    window.until(lambda: "canoe" in row.words_shown())
    asyncio.run_coroutine_threadsafe(fake.teams.create("Harbour Studio"), window.node.loop).result(
        5
    )
    window.node.do(lambda n: n.bus.publish(told.AskAnswered(team, "Harbour Studio", "admitted")))
    window.until(lambda: window.session.main is not None and window.main.team == team)


def test_a_declined_request_says_so(open_window: Open, fake: FakeNode) -> None:
    team = ConversationId(key("team Harbour Studio"))
    fake.nearby_list = [NearbyTeam(team, "Harbour Studio", 7, False)]
    window = open_window(fake)
    window.until(lambda: window.start_view.nearby.rows)
    window.node.do(lambda n: n.bus.publish(told.AskAnswered(team, "Harbour Studio", "declined")))
    row = window.start_view.nearby.rows[0]
    window.until(lambda: "did not let you in" in row.words_shown())


def test_what_is_not_an_invitation_is_said_at_once(open_window: Open, fake: FakeNode) -> None:
    window = open_window(fake)
    window.click(window.start_view.welcome.paste)
    window.type("https://example.org/join\n")
    assert "not an invitation" in window.start_view.paste.problem.text()


def test_without_a_name_nothing_begins(open_window: Open, fake: FakeNode) -> None:
    window = open_window(fake)
    window.start_view.welcome.name.clear()
    window.click(window.start_view.welcome.start)
    assert "Type your name" in window.start_view.welcome.problem.text()
    assert not fake.team_map


def test_alone_in_a_team_the_invitation_is_right_there(open_window: Open, fake: FakeNode) -> None:
    asyncio.run(fake.teams.create("Harbour Studio"))
    window = open_window(fake)
    window.until(lambda: window.session.main is not None and window.main.conversation)
    state = window.shell.findChild(AloneState)
    assert state is not None
    window.click(state.invite)
    window.until(lambda: QGuiApplication.clipboard().text().startswith("folkmoot://join/"))
    assert state.line.isVisible()
    QGuiApplication.clipboard().clear()


def test_a_joiner_sees_the_first_channel_as_soon_as_it_arrives(
    open_window: Open, fake: FakeNode
) -> None:
    asyncio.run(fake.teams.create("Harbour Studio"))
    channels, fake.conversation_map = fake.conversation_map, {}
    window = open_window(fake)
    window.until(lambda: window.session.main is not None and window.main.team)
    assert not window.main.view.conversation.composer.isEnabled()
    assert not window.main.view.header.members.isVisible()
    fake.conversation_map = channels
    for channel in channels.values():
        changed = told.ConversationChanged(channel)
        window.node.do(lambda n, event=changed: n.bus.publish(event))  # type: ignore[misc]
    window.until(lambda: window.shell.windowTitle().startswith("#general"))
    assert window.main.view.conversation.composer.isEnabled()
