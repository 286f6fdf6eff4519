"""Who is there and who writes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from builders.nodes import HandClock, LoneNode, keyring_of, open_node
from folkmoot.domain.bodies import Grant, Level
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId, EntryId
from folkmoot.domain.team import Act
from folkmoot.services import presence as presence_module
from folkmoot.services.events import PresenceChanged, TypingChanged
from folkmoot.services.own_log import by
from folkmoot.services.values import Conversation, PresenceState, Team

GRACE = keyring_of("Grace")


class Sent:
    """What would go over the links."""

    def __init__(self) -> None:
        self.presence: list[tuple[PresenceState, str, int | None]] = []
        self.typing: list[tuple[ConversationId, EntryId | None, bool]] = []

    def tell_presence(self, state: PresenceState, text: str, until_ms: int | None) -> None:
        self.presence.append((state, text, until_ms))

    def tell_typing(self, conversation: ConversationId, thread: EntryId | None, on: bool) -> None:
        self.typing.append((conversation, thread, on))


@pytest.fixture
async def grace(lone: LoneNode, team: Team) -> None:
    """Grace is a member."""
    grant = Grant(GRACE.person, Level.MEMBER)
    await lone.node.own_log.append(team.id, grant, right=by(Act.GRANT))


async def test_own_presence_is_told_and_kept_over_a_restart(tmp_path: Path) -> None:
    clock = HandClock()
    first = await open_node(tmp_path, clock=clock)
    sent = Sent()
    first.node.presence.attach(sent)
    until = clock.now_ms + 3_600_000
    presence = await first.node.presence.set(PresenceState.AWAY, " at  lunch ", until)
    assert (presence.state, presence.text, presence.until_ms) == (
        PresenceState.AWAY,
        "at lunch",
        until,
    )
    assert sent.presence == [(PresenceState.AWAY, "at lunch", until)]
    assert first.told(PresenceChanged) == [PresenceChanged(presence)]
    await first.node.aclose()
    again = await open_node(tmp_path, clock=clock)
    assert again.node.presence.own() == (PresenceState.AWAY, "at lunch", until)
    clock.now_ms = until
    assert again.node.presence.own() == (PresenceState.AWAY, "", None)
    await again.node.aclose()


async def test_a_status_is_one_bounded_line(lone: LoneNode) -> None:
    with pytest.raises(UserError) as raised:
        await lone.node.presence.set(PresenceState.ONLINE, "x" * 141)
    assert raised.value.code == "bad_text"


async def test_a_person_is_offline_until_a_device_links(
    lone: LoneNode, team: Team, grace: None
) -> None:
    presence = lone.node.presence
    assert presence.of(GRACE.person).state is PresenceState.OFFLINE
    presence.link_up(GRACE.device, GRACE.person)
    assert presence.of(GRACE.person).state is PresenceState.ONLINE
    presence.heard(GRACE.device, PresenceState.DND, "deep in code", None)
    told = presence.of(GRACE.person)
    assert (told.state, told.text, told.devices) == (PresenceState.DND, "deep in code", 1)
    assert {one.person for one in presence.list()} == {GRACE.person, lone.node.identity.person}
    presence.link_down(GRACE.device)
    assert presence.of(GRACE.person).state is PresenceState.OFFLINE
    assert presence.online() == 0


async def test_what_a_device_says_without_a_link_is_passed_over(lone: LoneNode) -> None:
    lone.node.presence.heard(GRACE.device, PresenceState.ONLINE, "here", None)
    assert lone.node.presence.of(GRACE.person).state is PresenceState.OFFLINE
    assert lone.told(PresenceChanged) == []


async def test_typing_is_shown_and_ends_by_itself(
    lone: LoneNode, general: Conversation, grace: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence_module, "TYPING_LIFE_S", 0.02)
    ended = asyncio.Event()
    lone.node.events.listen(
        lambda event: (
            ended.set() if isinstance(event, TypingChanged) and not event.typing.on else None
        )
    )
    lone.node.presence.link_up(GRACE.device, GRACE.person)
    for _ in range(3):
        lone.node.presence.heard_typing(GRACE.device, general.id, None, True)
    await asyncio.wait_for(ended.wait(), 20)
    told = [event.typing.on for event in lone.events if isinstance(event, TypingChanged)]
    assert told == [True, False]


async def test_typing_ends_with_the_message_and_with_the_link(
    lone: LoneNode, general: Conversation, grace: None
) -> None:
    presence = lone.node.presence
    presence.link_up(GRACE.device, GRACE.person)
    presence.heard_typing(GRACE.device, general.id, None, True)
    presence.wrote(GRACE.person, general.id, None)
    presence.heard_typing(GRACE.device, general.id, None, True)
    presence.link_down(GRACE.device)
    told = [event.typing.on for event in lone.events if isinstance(event, TypingChanged)]
    assert told == [True, False, True, False]


async def test_a_stranger_types_nowhere(lone: LoneNode, general: Conversation) -> None:
    lone.node.presence.link_up(GRACE.device, GRACE.person)
    lone.node.presence.heard_typing(GRACE.device, general.id, None, True)
    assert lone.told(TypingChanged) == []


async def test_own_typing_goes_out_at_a_bounded_rate(
    lone: LoneNode, general: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = Sent()
    presence = lone.node.presence
    presence.attach(sent)
    for _ in range(100):
        presence.typing(general.id, None, True)
    presence.typing(general.id, None, False)
    presence.typing(general.id, None, False)
    assert sent.typing == [(general.id, None, True), (general.id, None, False)]
