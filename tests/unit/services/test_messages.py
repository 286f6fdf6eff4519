"""Writing, changing and reading messages on one node."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from builders.nodes import HandClock, LoneNode, open_node
from folkmoot.domain.entry import Kind
from folkmoot.domain.errors import EnvironmentFault, UserError
from folkmoot.domain.ids import EntryId
from folkmoot.services.events import MessageChanged, MessageCreated
from folkmoot.services.values import Conversation, Team

UNKNOWN = EntryId(bytes(range(32)))


async def test_a_message_is_stored_before_it_is_told(
    lone: LoneNode, general: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 1: neither the answer nor the event comes before the commit is durable."""
    begun, go_on = asyncio.Event(), asyncio.Event()
    append = lone.store.append

    async def slow_append(*given: object, **named: object) -> object:
        begun.set()
        await go_on.wait()
        return await append(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(lone.store, "append", slow_append)
    posting = asyncio.create_task(lone.node.messages.post(general.id, "hello"))
    await begun.wait()
    assert lone.told(MessageCreated) == []
    assert not posting.done()
    go_on.set()
    message = await posting
    assert await lone.store.entry(message.id) is not None
    assert lone.told(MessageCreated) == [MessageCreated(message)]


async def test_a_failed_commit_is_not_told_and_the_next_one_works(
    lone: LoneNode, general: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_given: object, **_named: object) -> None:
        raise EnvironmentFault("disk_full", "The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(lone.store, "append", full)
        with pytest.raises(EnvironmentFault):
            await lone.node.messages.post(general.id, "lost")
    assert lone.told(MessageCreated) == []
    message = await lone.node.messages.post(general.id, "kept")
    assert [one.text for one in (await lone.node.messages.page(general.id)).messages] == ["kept"]
    assert message.text == "kept"


async def test_the_log_begins_with_open_and_has_no_gap(
    lone: LoneNode, general: Conversation
) -> None:
    await asyncio.gather(*(lone.node.messages.post(general.id, f"m{n}") for n in range(20)))
    [held] = await lone.store.heads(general.id)
    entries = await lone.store.segment(held.head.log, 1, 10**6)
    assert [entry.header.kind for entry in entries] == [Kind.OPEN, *([Kind.MESSAGE] * 20)]
    assert [entry.header.sequence for entry in entries] == list(range(1, 22))
    assert [entry.header.previous for entry in entries[1:]] == [e.id for e in entries[:-1]]


async def test_a_log_goes_on_after_a_restart_also_with_a_clock_that_went_back(
    tmp_path: Path,
) -> None:
    clock = HandClock()
    first = await open_node(tmp_path, clock=clock)
    await first.node.teams.create("T")
    [general] = await first.node.conversations.list()
    await first.node.messages.post(general.id, "first")
    await first.node.aclose()
    clock.now_ms -= 60_000
    again = await open_node(tmp_path, clock=clock)
    await again.node.messages.post(general.id, "second")
    page = await again.node.messages.page(general.id)
    assert [message.text for message in page.messages] == ["first", "second"]
    await again.node.aclose()


async def test_a_poster_who_goes_away_leaves_the_log_whole(
    lone: LoneNode, general: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()
    append = lone.store.append

    async def seen_append(*given: object, **named: object) -> object:
        begun.set()
        return await append(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(lone.store, "append", seen_append)
    for number in range(5):
        begun.clear()
        posting = asyncio.create_task(lone.node.messages.post(general.id, f"gone {number}"))
        await begun.wait()
        posting.cancel()
        await asyncio.gather(posting, return_exceptions=True)
    await lone.node.messages.post(general.id, "last")
    page = await lone.node.messages.page(general.id)
    assert [message.text for message in page.messages][-1] == "last"
    [held] = await lone.store.heads(general.id)
    assert held.head.sequence == len(page.messages) + 1
    told = [event for event in lone.events if isinstance(event, MessageCreated)]
    assert [event.message.text for event in told] == [one.text for one in page.messages]


async def test_the_same_client_id_posts_once(lone: LoneNode, general: Conversation) -> None:
    posts = (lone.node.messages.post(general.id, "hello", client_id="c1") for _ in range(5))
    messages = await asyncio.gather(*posts)
    assert len({message.id for message in messages}) == 1
    assert messages[0].client_id == "c1"
    assert (await lone.node.messages.page(general.id)).total == 1


@pytest.mark.parametrize("text", ["", " \n\t", "\0", "x" * 32_769, "\ud800", "\u200b\u200b"])
async def test_a_text_that_cannot_be_sent_is_refused(
    lone: LoneNode, general: Conversation, text: str
) -> None:
    with pytest.raises(UserError) as raised:
        await lone.node.messages.post(general.id, text)
    assert raised.value.code == "bad_text"
    assert "text" in raised.value.message


async def test_a_reply_to_a_reply_goes_to_the_first_message_of_the_thread(
    lone: LoneNode, general: Conversation
) -> None:
    root = await lone.node.messages.post(general.id, "root")
    reply = await lone.node.messages.post(general.id, "one", thread=root.id)
    second = await lone.node.messages.post(
        general.id, "two", thread=reply.id, reply_to=reply.id, also_in_channel=True
    )
    assert (reply.thread, second.thread, second.reply_to) == (root.id, root.id, reply.id)
    assert second.also_in_channel
    assert (await lone.node.messages.get(root.id)).reply_count == 2
    [thread] = await lone.node.messages.threads(general.id)
    assert (thread.id, thread.reply_count) == (root.id, 2)
    listed = await lone.node.messages.page(general.id, thread=root.id)
    assert [message.text for message in listed.messages] == ["root", "one", "two"]


async def test_a_reply_tells_how_its_first_message_looks_now(
    lone: LoneNode, general: Conversation
) -> None:
    root = await lone.node.messages.post(general.id, "root")
    await lone.node.messages.post(general.id, "one", thread=root.id)
    last = lone.told(MessageCreated)[-1]
    assert isinstance(last, MessageCreated)
    assert last.root is not None
    assert (last.root.id, last.root.reply_count) == (root.id, 1)


async def test_threads_and_replies_stay_in_their_conversation(
    lone: LoneNode, team: Team, general: Conversation
) -> None:
    yard = await lone.node.conversations.create_channel(team.id, "yard")
    elsewhere = await lone.node.messages.post(yard.id, "here")
    for place in ({"thread": elsewhere.id}, {"reply_to": elsewhere.id}, {"thread": UNKNOWN}):
        with pytest.raises(UserError) as raised:
            await lone.node.messages.post(general.id, "there", **place)  # type: ignore[arg-type]
        assert raised.value.code == "not_found"
    with pytest.raises(UserError) as raised:
        await lone.node.messages.page(general.id, around=elsewhere.id)
    assert raised.value.code == "not_found"


async def test_an_edit_changes_the_text_and_keeps_the_old_one(
    lone: LoneNode, general: Conversation
) -> None:
    message = await lone.node.messages.post(general.id, "helo")
    edited = await lone.node.messages.edit(message.id, "hello")
    assert (edited.id, edited.text, edited.edited) == (message.id, "hello", True)
    assert lone.told(MessageChanged) == [MessageChanged(edited, "edited")]
    texts = [revision.text for revision in await lone.node.messages.revisions(message.id)]
    assert texts == ["helo", "hello"]


async def test_an_edit_to_the_same_text_writes_nothing(
    lone: LoneNode, general: Conversation
) -> None:
    message = await lone.node.messages.post(general.id, "hello")
    before = await lone.store.heads(general.id)
    assert await lone.node.messages.edit(message.id, "hello ") == message
    assert await lone.store.heads(general.id) == before


async def test_a_deleted_message_has_no_text_anywhere_and_is_left_alone(
    lone: LoneNode, general: Conversation
) -> None:
    message = await lone.node.messages.post(general.id, "secret")
    await lone.node.messages.edit(message.id, "secret too")
    deleted = await lone.node.messages.delete(message.id)
    assert (deleted.deleted, deleted.text) == (True, "")
    assert await lone.node.messages.revisions(message.id) == []
    before = await lone.store.heads(general.id)
    assert await lone.node.messages.delete(message.id) == deleted
    for act in (
        lone.node.messages.edit(message.id, "again"),
        lone.node.messages.react(message.id, "👍", True),
    ):
        with pytest.raises(UserError, match="deleted") as raised:
            await act
        assert raised.value.code == "forbidden"
    assert await lone.store.heads(general.id) == before


async def test_a_reaction_is_put_and_taken_back_and_not_doubled(
    lone: LoneNode, general: Conversation
) -> None:
    message = await lone.node.messages.post(general.id, "hello")
    reacted = await lone.node.messages.react(message.id, "👍", True)
    assert [(one.emoji, one.count, one.mine) for one in reacted.reactions] == [("👍", 1, True)]
    before = await lone.store.heads(general.id)
    assert await lone.node.messages.react(message.id, "👍", True) == reacted
    assert await lone.node.messages.react(message.id, "🎉", False) == reacted
    assert await lone.store.heads(general.id) == before
    assert (await lone.node.messages.react(message.id, "👍", False)).reactions == ()


@pytest.mark.parametrize("emoji", ["", "a b", "👍" * 9, "\n"])
async def test_a_reaction_that_is_no_emoji_is_refused(
    lone: LoneNode, general: Conversation, emoji: str
) -> None:
    message = await lone.node.messages.post(general.id, "hello")
    with pytest.raises(UserError) as raised:
        await lone.node.messages.react(message.id, emoji, True)
    assert raised.value.code == "bad_text"


async def test_an_unknown_message_is_not_found(lone: LoneNode) -> None:
    for act in (
        lone.node.messages.get(UNKNOWN),
        lone.node.messages.edit(UNKNOWN, "x"),
        lone.node.messages.delete(UNKNOWN),
        lone.node.messages.react(UNKNOWN, "👍", True),
        lone.node.messages.revisions(UNKNOWN),
        lone.node.messages.delivery(UNKNOWN),
    ):
        with pytest.raises(UserError) as raised:
            await act
        assert raised.value.code == "not_found"


async def test_alone_a_message_is_stored_on_one_of_one_computers(
    lone: LoneNode, general: Conversation
) -> None:
    message = await lone.node.messages.post(general.id, "hello")
    assert (message.stored_on, message.stored_of) == (1, 1)
    delivery = await lone.node.messages.delivery(message.id)
    assert (delivery.stored_on, delivery.missing) == ((lone.node.identity.device,), ())


async def test_own_messages_are_never_unread(lone: LoneNode, general: Conversation) -> None:
    await lone.node.messages.post(general.id, "hello")
    assert (await lone.node.conversations.get(general.id)).unread == 0
    assert await lone.node.messages.first_unread(general.id) is None
