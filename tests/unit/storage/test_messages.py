"""Messages as they read after what was said about them."""

from __future__ import annotations

from builders.rooms import make_room, say_directly
from folkmoot.domain.bodies import Delete, Edit, React, Set
from folkmoot.services.values import ConversationKind

from .conftest import HandClock, OpenStore


async def test_a_message_is_read_as_it_was_written(open_store: OpenStore) -> None:
    room = make_room("ada", "ben")
    store = await open_store(room.owner)
    said = room.say(room.owner, "Hello there")
    appended = await store.append(room.entries())
    (created,) = appended.created
    page = await store.page(room.channel)
    assert page.messages == (created,)
    assert (page.total, page.first_ordinal, page.has_older, page.has_newer) == (1, 0, False, False)
    assert created.id == said.id
    assert (created.text, created.author_name, created.mine) == (
        "Hello there",
        "ada's computer",
        True,
    )
    assert (created.stored_on, created.stored_of) == (1, 2)


async def test_a_conversation_counts_what_others_wrote_until_it_is_read(
    open_store: OpenStore,
) -> None:
    room = make_room("ada", "ben")
    (ben,) = room.others
    store = await open_store(room.owner)
    room.say(ben, "one", mentions=(room.owner.person,))
    room.say(ben, "two")
    room.say(room.owner, "mine")
    appended = await store.append(room.entries())
    (conversation,) = appended.conversations
    assert conversation.kind is ConversationKind.CHANNEL
    assert (conversation.name, conversation.team) == ("general", room.team)
    assert (conversation.unread, conversation.mentions, conversation.messages) == (2, 1, 3)
    first = await store.first_unread(room.channel)
    assert first is not None
    assert first.text == "one"
    changed = await store.mark_read(room.channel, first.arrival)
    assert changed is not None
    assert (changed.unread, changed.mentions) == (1, 0)
    assert await store.mark_read(room.channel, first.arrival) is None


async def test_an_edit_by_the_author_changes_the_text_and_another_ones_does_not(
    open_store: OpenStore,
) -> None:
    room = make_room("ada", "ben")
    (ben,) = room.others
    store = await open_store(room.owner)
    said = room.say(room.owner, "helo")
    await store.append(room.entries())
    forged = ben.write(room.channel, room.grants["ben"], Edit(said.id, "I am a fool"))
    await store.append(room.entries())
    grant = room.grants["ada"]
    edit = room.owner.write(room.channel, grant, Edit(said.id, "hello"))
    appended = await store.append([edit])
    ((message, what),) = appended.changed
    assert (message.text, message.edited, what) == ("hello", True, "edited")
    assert await store.edit_heads(said.id) == [edit.id]
    assert forged.id not in await store.edit_heads(said.id)
    assert [r.text for r in await store.revisions(said.id)] == ["helo", "hello"]


async def test_a_delete_drops_text_and_edits_for_good(open_store: OpenStore) -> None:
    room = make_room("ada", "ben")
    (ben,) = room.others
    store = await open_store(room.owner)
    said = room.say(ben, "secret")
    edit = ben.write(room.channel, room.grants["ben"], Edit(said.id, "still secret"))
    await store.append(room.entries())
    delete = ben.write(room.channel, room.grants["ben"], Delete(said.id))
    appended = await store.append([delete])
    ((message, what),) = appended.changed
    assert (message.deleted, message.text, what) == (True, "", "deleted")
    assert appended.conversations[0].unread == 0
    for entry in (said, edit):
        assert entry.body is not None
        held = await store.entry(entry.id)
        assert held is not None
        assert held.body is None
        assert (await store.fill_bodies([(entry.id, entry.body)])).entries == ()
    assert (await store.page(room.channel)).messages == ()
    assert await store.revisions(said.id) == []
    assert await store.wanted(room.channel, 10) == []


async def test_an_admin_deletes_what_others_wrote_and_a_member_does_not(
    open_store: OpenStore,
) -> None:
    room = make_room("ada", "ben", "cleo")
    ben, cleo = room.others
    store = await open_store(cleo)
    by_ben, by_ada = room.say(ben, "by ben"), room.say(room.owner, "by ada")
    ben.write(room.channel, room.grants["ben"], Delete(by_ada.id))
    room.owner.write(room.channel, room.grants["ada"], Delete(by_ben.id))
    await store.append(room.entries())
    texts = [message.text for message in (await store.page(room.channel)).messages]
    assert texts == ["by ada"]


async def test_reactions_are_grouped_and_taken_back(open_store: OpenStore) -> None:
    room = make_room("ada", "ben")
    (ben,) = room.others
    store = await open_store(room.owner)
    said = room.say(ben, "lunch?")
    ben.write(room.channel, room.grants["ben"], React(said.id, "👍", True))
    mine = room.owner.write(room.channel, room.grants["ada"], React(said.id, "👍", True))
    await store.append(room.entries())
    message = await store.message(said.id)
    assert message is not None
    (reaction,) = message.reactions
    assert (reaction.emoji, reaction.count, reaction.mine) == ("👍", 2, True)
    heads = await store.react_heads(said.id, room.owner.person, "👍")
    assert heads == [mine.id]
    off = React(said.id, "👍", False, tuple(heads))
    appended = await store.append([room.owner.write(room.channel, room.grants["ada"], off)])
    ((message, what),) = appended.changed
    assert what == "reactions"
    assert [(r.count, r.mine) for r in message.reactions] == [(1, False)]


async def test_replies_stand_in_their_thread_and_are_counted_at_its_first_message(
    open_store: OpenStore,
) -> None:
    room = make_room("ada", "ben")
    (ben,) = room.others
    store = await open_store(room.owner)
    root = room.say(room.owner, "a question")
    await store.append(room.entries())
    first = room.say(ben, "an answer", thread=root.id)
    room.say(ben, "for all", thread=root.id, also_in_channel=True)
    appended = await store.append(room.entries())
    assert appended.roots[root.id].reply_count == 2
    assert [p.name for p in appended.roots[root.id].repliers] == ["ben's computer"]
    timeline = [message.text for message in (await store.page(room.channel)).messages]
    assert timeline == ["a question", "for all"]
    thread = await store.page(room.channel, thread=root.id)
    assert [m.text for m in thread.messages] == ["a question", "an answer", "for all"]
    assert thread.total == 3
    (held,) = await store.threads(room.channel, 10)
    assert (held.id, held.reply_count, held.unread) == (root.id, 2, 2)
    assert thread.messages[1].id == first.id
    await store.mark_read(room.channel, thread.messages[1].arrival, root.id)
    (held,) = await store.threads(room.channel, 10)
    assert held.unread == 1


async def test_a_deleted_first_message_stays_while_its_thread_has_replies(
    open_store: OpenStore,
) -> None:
    room = make_room("ada")
    store = await open_store(room.owner)
    root = room.say(room.owner, "root")
    reply = room.say(room.owner, "reply", thread=root.id)
    await store.append(room.entries())
    grant = room.grants["ada"]
    await store.append([room.owner.write(room.channel, grant, Delete(root.id))])
    page = await store.page(room.channel)
    assert [(m.deleted, m.reply_count) for m in page.messages] == [(True, 1)]
    await store.append([room.owner.write(room.channel, grant, Delete(reply.id))])
    page = await store.page(room.channel)
    assert (page.messages, page.total) == ((), 0)


async def test_a_direct_conversation_is_named_by_the_others(open_store: OpenStore) -> None:
    room = make_room("ada", "ben")
    (ben,) = room.others
    said = say_directly(ben, [room.owner], "just us")
    store = await open_store(room.owner)
    await store.append(room.entries())
    held = await store.conversation(said.header.conversation)
    assert held is not None
    assert held.kind is ConversationKind.DIRECT
    assert (held.name, held.unread, held.team) == ("ben's computer", 1, room.team)
    assert set(held.participants) == {ben.person, room.owner.person}
    assert await store.direct_persons() == {held.id: held.participants}


async def test_a_channel_takes_a_new_name_and_topic_from_who_may_set_them(
    open_store: OpenStore,
) -> None:
    room = make_room("ada", "ben")
    (ben,) = room.others
    store = await open_store(room.owner)
    ben.write(room.channel, room.grants["ben"], Set("name", "bens-place"))
    ben.write(room.channel, room.grants["ben"], Set("topic", "everything"))
    await store.append(room.entries())
    held = await store.conversation(room.channel)
    assert held is not None
    assert (held.name, held.topic) == ("general", "everything")
    entry = room.owner.write(room.channel, room.grants["ada"], Set("name", "harbour"))
    appended = await store.append(room.entries())
    assert appended.conversations[0].name == "harbour"
    assert await store.set_heads(room.channel, room.owner.person, "name") == [entry.id]


async def test_a_name_set_in_the_team_is_shown_with_messages(open_store: OpenStore) -> None:
    room = make_room("ada", "ben")
    store = await open_store(room.owner)
    room.say(room.owner, "hi")
    await store.append(room.entries())
    named = room.owner.write(room.team, room.grants["ada"], Set("profile/name", "Ada L."))
    appended = await store.append(room.entries())
    assert appended.teams[room.team].members[room.owner.person].name == "Ada L."
    assert await store.set_heads(room.team, room.owner.person, "profile/name") == [named.id]
    assert (await store.page(room.channel)).messages[0].author_name == "Ada L."


async def test_a_message_from_a_clock_far_ahead_stands_at_its_arrival(
    open_store: OpenStore, clock: HandClock
) -> None:
    room = make_room("ada", "ben")
    store = await open_store(room.owner)
    room.say(room.owner, "from the future")
    clock.now_ms -= 3_600_000
    appended = await store.append(room.entries())
    (message,) = appended.created
    assert message.clock_wrong
    assert message.order.wall_ms == clock.now_ms


async def test_a_message_is_late_that_came_behind_newer_ones(
    open_store: OpenStore, clock: HandClock
) -> None:
    room = make_room("ada", "ben")
    (ben,) = room.others
    store = await open_store(room.owner)
    room.say(ben, "before")
    for number in range(5):
        room.say(room.owner, f"mine {number}")
    everything = room.entries()
    bens = [entry for entry in everything if entry.header.device == ben.device]
    bens = [entry for entry in bens if entry.header.conversation == room.channel]
    await store.append([entry for entry in everything if entry not in bens])
    clock.now_ms += 120_000
    appended = await store.append(bens)
    assert [message.late for message in appended.created] == [True]
    page = await store.page(room.channel)
    assert [m.text for m in page.messages if m.late] == ["before"]
