"""What others wrote, and what an own right over it is: two persons on one node's store."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from builders.nodes import LoneNode
from builders.writers import Writer
from folkmoot.domain.bodies import Grant, Level, MessageBody, Set
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import EntryId
from folkmoot.domain.team import Act
from folkmoot.protocol.bodies import decode_body
from folkmoot.services.events import (
    ConversationChanged,
    MembersChanged,
    MessageCreated,
    TypingChanged,
)
from folkmoot.services.own_log import by
from folkmoot.services.values import Conversation, Role, Team


@dataclass
class Grace:
    """Another person whose entries come into Ada's store as a link would bring them."""

    writer: Writer
    lone: LoneNode
    grant: EntryId
    channel: Conversation

    async def post(self, text: str) -> EntryId:
        held = {entry.id for entry in self.writer.entries()}
        last = self.writer.write(self.channel.id, self.grant, MessageBody(text))
        new = [entry for entry in self.writer.entries() if entry.id not in held]
        self.lone.node.publisher.tell(await self.lone.store.append(new), self.writer.device)
        return last.id


@pytest.fixture
async def grace(lone: LoneNode, team: Team, general: Conversation) -> Grace:
    """Grace is a member and has a computer."""
    writer = Writer("Grace")
    grant = Grant(writer.person, Level.MEMBER)
    written = await lone.node.own_log.append(team.id, grant, right=by(Act.GRANT))
    id = written.entries[0].id
    writer.write(team.id, id, Set("profile/name", "Grace"))
    appended = await lone.store.append(writer.entries())
    lone.node.publisher.tell(appended, writer.device)
    return Grace(writer, lone, id, general)


async def test_a_member_is_listed_with_name_and_computer(
    lone: LoneNode, team: Team, grace: Grace
) -> None:
    members = lone.node.teams.members(team.id)
    assert [(one.name, one.role) for one in members] == [
        ("Ada", Role.OWNER),
        ("Grace", Role.MEMBER),
    ]
    assert members[1].devices == (grace.writer.device,)
    assert MembersChanged(team.id) in lone.events
    assert grace.writer.device in lone.node.registry.devices_of(grace.channel.id)
    assert lone.node.registry.person_of(grace.writer.device) == grace.writer.person


async def test_a_message_of_another_person_is_told_and_unread(lone: LoneNode, grace: Grace) -> None:
    id = await grace.post("hello from Grace")
    message = await lone.node.messages.get(id)
    assert (message.author_name, message.mine) == ("Grace", False)
    assert MessageCreated(message) in lone.events
    channel = await lone.node.conversations.get(grace.channel.id)
    assert channel.unread == 1
    assert ConversationChanged(channel) in lone.events
    read = await lone.node.conversations.mark_read(channel.id, message.arrival)
    assert read.unread == 0
    assert lone.events[-1] == ConversationChanged(read)


async def test_an_answer_stands_after_what_it_answers_though_our_clock_is_behind(
    lone: LoneNode, grace: Grace
) -> None:
    lone.clock.now_ms -= 120_000
    await lone.node.messages.post(grace.channel.id, "hello")
    for number in range(5):
        await grace.post(f"question {number}")
    await lone.node.messages.post(grace.channel.id, "answer")
    page = await lone.node.messages.page(grace.channel.id)
    assert [message.text for message in page.messages][-2:] == ["question 4", "answer"]


async def test_a_clock_that_is_far_ahead_does_not_pull_ours_along(
    lone: LoneNode, grace: Grace
) -> None:
    lone.clock.now_ms -= 600_000
    await grace.post("from the future")
    mine = await lone.node.messages.post(grace.channel.id, "now")
    assert mine.sent_at_ms == lone.clock.now_ms


async def test_a_message_ends_the_typing_of_who_wrote_it(lone: LoneNode, grace: Grace) -> None:
    lone.node.presence.link_up(grace.writer.device, grace.writer.person)
    lone.node.presence.heard_typing(grace.writer.device, grace.channel.id, None, True)
    await grace.post("done typing")
    told = [event.typing.on for event in lone.events if isinstance(event, TypingChanged)]
    assert told == [True, False]


async def test_another_persons_message_is_not_edited(lone: LoneNode, grace: Grace) -> None:
    id = await grace.post("mine")
    with pytest.raises(UserError, match="Only the author") as raised:
        await lone.node.messages.edit(id, "yours")
    assert raised.value.code == "forbidden"
    assert (await lone.node.messages.get(id)).text == "mine"


async def test_an_owner_deletes_another_persons_message_in_a_channel(
    lone: LoneNode, grace: Grace
) -> None:
    id = await grace.post("rude")
    assert (await lone.node.messages.delete(id)).deleted


async def test_a_name_is_mentioned(lone: LoneNode, grace: Grace) -> None:
    message = await lone.node.messages.post(grace.channel.id, "look, @grace!")
    entry = await lone.store.entry(message.id)
    assert entry is not None
    assert entry.body is not None
    body = decode_body(entry.header.kind, entry.body)
    assert isinstance(body, MessageBody)
    assert body.mentions == (grace.writer.person,)


async def test_a_mention_by_another_person_counts(lone: LoneNode, grace: Grace) -> None:
    held = {entry.id for entry in grace.writer.entries()}
    me = lone.node.identity.person
    grace.writer.write(grace.channel.id, grace.grant, MessageBody("@Ada", mentions=(me,)))
    new = [entry for entry in grace.writer.entries() if entry.id not in held]
    lone.node.publisher.tell(await lone.store.append(new), grace.writer.device)
    assert (await lone.node.conversations.get(grace.channel.id)).mentions == 1
