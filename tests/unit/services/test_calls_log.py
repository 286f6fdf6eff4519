"""Calls written into the log by one node, and its history of them."""

from __future__ import annotations

import pytest

from builders.nodes import LoneNode, keyring_of
from builders.writers import Writer, seed
from folkmoot.api import shapes
from folkmoot.domain.bodies import CALL_ENDED, CALL_STARTED, Grant, Level
from folkmoot.domain.entry import Kind
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId
from folkmoot.domain.team import Act
from folkmoot.services.call_values import CallId
from folkmoot.services.calls_log import CallLog
from folkmoot.services.events import MessageChanged, MessageCreated
from folkmoot.services.own_log import by
from folkmoot.services.values import Conversation, Team

ONE, TWO = CallId(seed("call", 1)), CallId(seed("call", 2))


@pytest.fixture
def log(lone: LoneNode) -> CallLog:
    """What Ada's node tells of calls."""
    node = lone.node
    me = node.identity.keyring.person
    return CallLog(me, lone.store, node.registry, node.own_log)


async def _calls_in_log(lone: LoneNode, conversation: ConversationId) -> int:
    [head] = await lone.store.heads(conversation)
    entries = await lone.store.segment(head.head.log, 1, 1 << 20)
    return sum(entry.header.kind == Kind.CALL for entry in entries)


async def test_a_call_is_durable_and_told_as_a_message_that_changes(
    lone: LoneNode, general: Conversation, log: CallLog
) -> None:
    me = lone.node.identity.keyring.person
    await log.started(ONE, general.id, True)
    [created] = lone.told(MessageCreated)
    assert isinstance(created, MessageCreated)
    assert created.message.call is not None
    assert (created.message.call.id, created.message.call.video) == (ONE, True)
    await log.ended(ONE, general.id, True, [me, me], 61.4)
    [changed] = lone.told(MessageChanged)
    assert isinstance(changed, MessageChanged)
    assert changed.what == "call"
    [call] = await log.history()
    assert changed.message.call == call
    assert (call.duration_s, call.participants, call.took_part) == (61, (me,), True)
    assert await lone.store.call_states(general.id, ONE) == {CALL_STARTED, CALL_ENDED}


async def test_a_second_start_and_a_second_end_write_nothing(
    lone: LoneNode, general: Conversation, log: CallLog
) -> None:
    for seconds in (5, 50):
        await log.started(ONE, general.id, False)
        await log.ended(ONE, general.id, False, [], seconds)
    assert await _calls_in_log(lone, general.id) == 2
    assert [call.duration_s for call in await log.history()] == [5]


async def test_the_history_is_newest_first_and_limited(
    lone: LoneNode, general: Conversation, log: CallLog
) -> None:
    await log.started(ONE, general.id, False)
    lone.clock.now_ms += 1_000
    await log.started(TWO, general.id, False)
    assert [call.id for call in await log.history()] == [TWO, ONE]
    assert [call.id for call in await log.history(1)] == [TWO]


async def test_a_call_in_an_unknown_conversation_is_refused(log: CallLog) -> None:
    with pytest.raises(UserError) as refused:
        await log.started(ONE, ConversationId(seed("nowhere")), False)
    assert refused.value.code == "not_found"


async def test_a_no_is_written_once_and_in_direct_conversations_only(
    lone: LoneNode, team: Team, general: Conversation, log: CallLog
) -> None:
    grace = keyring_of("Grace").person
    await lone.node.own_log.append(team.id, Grant(grace, Level.MEMBER), right=by(Act.GRANT))
    direct = await lone.node.conversations.open_direct(team.id, [grace])
    for place in (general, direct, direct):
        await log.started(ONE, place.id, False)
        await log.declined(ONE, place.id, False)
    assert await _calls_in_log(lone, general.id) == 1
    assert await _calls_in_log(lone, direct.id) == 2
    told = {call.conversation: call for call in await log.history()}
    assert (told[general.id].declined, told[direct.id].declined) == (False, True)
    assert shapes.call_record(told[direct.id]).declined


async def test_who_may_not_post_writes_no_call(
    lone: LoneNode, general: Conversation, log: CallLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lone.node.registry, "may_post", lambda *_given: False)
    with pytest.raises(UserError) as refused:
        await log.ended(ONE, general.id, False, [], 5)
    assert refused.value.code == "forbidden"
    assert await log.history() == []


async def test_more_persons_than_fit_are_cut_and_oneself_is_kept(
    lone: LoneNode, general: Conversation, log: CallLog
) -> None:
    me = lone.node.identity.keyring.person
    crowd = [Writer(f"p{number}").person for number in range(300)]
    await log.started(ONE, general.id, False)
    await log.ended(ONE, general.id, False, [*crowd, me], 5)
    [call] = await log.history()
    assert call.participants == (me,)


async def test_a_call_is_not_edited_and_is_deleted_like_a_message(
    lone: LoneNode, general: Conversation, log: CallLog
) -> None:
    await log.started(ONE, general.id, False)
    [message] = (await lone.node.messages.page(general.id)).messages
    with pytest.raises(UserError) as refused:
        await lone.node.messages.edit(message.id, "words")
    assert refused.value.code == "forbidden"
    assert (await lone.node.messages.react(message.id, "👍", True)).reactions
    assert (await lone.node.messages.delete(message.id)).deleted
    assert await log.history() == []


async def test_the_api_tells_a_call_with_its_message(
    lone: LoneNode, general: Conversation, log: CallLog
) -> None:
    me = lone.node.identity.keyring.person
    said = await lone.node.messages.post(general.id, "hello")
    assert shapes.message(said).call is None
    await log.started(ONE, general.id, True)
    [_, message] = (await lone.node.messages.page(general.id)).messages
    call = shapes.message(message).call
    assert call is not None
    assert (call.ended_at, call.participants, call.took_part) == (None, [], True)
    await log.ended(ONE, general.id, True, [me], 61)
    message = await lone.node.messages.get(message.id)
    call = shapes.message(message).call
    assert call is not None
    assert (shapes.message(message).text, call.id, call.duration_s) == ("", ONE.hex(), 61)
    assert call.ended_at == shapes.stamp(message.sent_at_ms + 61_000)
    assert [person.person for person in call.participants] == [me.hex()]
