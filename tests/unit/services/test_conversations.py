"""Channels and direct conversations."""

from __future__ import annotations

import pytest

from builders.nodes import LoneNode, keyring_of
from folkmoot.domain.bodies import Grant, Level
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.domain.team import Act
from folkmoot.services.events import ConversationChanged
from folkmoot.services.own_log import by
from folkmoot.services.values import Conversation, ConversationKind, Team

GRACE = keyring_of("Grace").person


async def let_in(lone: LoneNode, team: Team, person: PersonId = GRACE) -> None:
    """Make a person a member, without a device."""
    await lone.node.own_log.append(team.id, Grant(person, Level.MEMBER), right=by(Act.GRANT))


async def test_a_channel_has_a_tidy_name_and_a_topic(lone: LoneNode, team: Team) -> None:
    channel = await lone.node.conversations.create_channel(team.id, " #Boat Yard ", " The  slip ")
    assert (channel.name, channel.topic, channel.kind, channel.team) == (
        "boat-yard",
        "The slip",
        ConversationKind.CHANNEL,
        team.id,
    )
    assert channel in await lone.node.conversations.list()
    assert ConversationChanged(channel) in lone.events


async def test_a_name_is_given_once_in_a_team(
    lone: LoneNode, team: Team, general: Conversation
) -> None:
    yard = await lone.node.conversations.create_channel(team.id, "yard")
    with pytest.raises(UserError, match="#yard already") as raised:
        await lone.node.conversations.create_channel(team.id, "Yard")
    assert raised.value.code == "name_taken"
    with pytest.raises(UserError) as raised:
        await lone.node.conversations.rename(yard.id, "general")
    assert raised.value.code == "name_taken"


async def test_a_channel_is_renamed_and_its_topic_changed_and_taken_away(
    lone: LoneNode, general: Conversation
) -> None:
    assert (await lone.node.conversations.rename(general.id, "Lobby")).name == "lobby"
    assert (await lone.node.conversations.rename(general.id, "Hall")).name == "hall"
    assert (await lone.node.conversations.set_topic(general.id, "One")).topic == "One"
    assert (await lone.node.conversations.set_topic(general.id, "")).topic == ""


async def test_a_direct_conversation_is_one_whoever_is_named_first(
    lone: LoneNode, team: Team
) -> None:
    await let_in(lone, team)
    me = lone.node.identity.person
    direct = await lone.node.conversations.open_direct(team.id, [GRACE])
    assert direct.kind is ConversationKind.DIRECT
    assert direct.participants == tuple(sorted((me, GRACE)))
    assert await lone.node.conversations.open_direct(None, [me, GRACE, GRACE]) == direct
    message = await lone.node.messages.post(direct.id, "hello")
    assert message.conversation == direct.id


async def test_only_people_of_a_shared_team_are_written_to(lone: LoneNode, team: Team) -> None:
    with pytest.raises(UserError) as raised:
        await lone.node.conversations.open_direct(team.id, [GRACE])
    assert raised.value.code == "not_found"


async def test_a_direct_conversation_needs_somebody_else_and_not_too_many(
    lone: LoneNode, team: Team
) -> None:
    crowd = [PersonId(bytes([n]) * 32) for n in range(20)]
    for persons in ([], [lone.node.identity.person], crowd):
        with pytest.raises(UserError) as raised:
            await lone.node.conversations.open_direct(team.id, persons)
        assert raised.value.code == "bad_participants"


async def test_a_direct_conversation_has_no_name_of_its_own(lone: LoneNode, team: Team) -> None:
    await let_in(lone, team)
    direct = await lone.node.conversations.open_direct(team.id, [GRACE])
    with pytest.raises(UserError) as raised:
        await lone.node.conversations.rename(direct.id, "secret")
    assert raised.value.code == "forbidden"


async def test_an_unknown_conversation_is_not_found(lone: LoneNode) -> None:
    nowhere = ConversationId(bytes(range(32)))
    for act in (
        lambda: lone.node.conversations.get(nowhere),
        lambda: lone.node.conversations.rename(nowhere, "x"),
        lambda: lone.node.conversations.set_topic(nowhere, "x"),
        lambda: lone.node.conversations.mark_read(nowhere, 1),
        lambda: lone.node.messages.post(nowhere, "x"),
        lambda: lone.node.messages.page(nowhere),
        lambda: lone.node.messages.threads(nowhere),
    ):
        with pytest.raises(UserError) as raised:
            await act()
        assert raised.value.code == "not_found"


async def test_a_team_itself_takes_no_messages(lone: LoneNode, team: Team) -> None:
    with pytest.raises(UserError) as raised:
        await lone.node.messages.post(team.id, "x")
    assert raised.value.code in ("not_found", "forbidden")
