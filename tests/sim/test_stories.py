"""What people do with linked nodes, on virtual time and a network that behaves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from folkmoot.domain.errors import UserError
from folkmoot.protocol.replication import LinkSync
from folkmoot.services.events import AskAnswered, Event, MessageCreated, TypingChanged
from folkmoot.services.links import Knock
from folkmoot.services.values import LinkState, PresenceState
from sim.loop import sim_loop
from sim.stories import found, gather, reads, texts
from sim.world import World, until

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")


def test_a_message_arrives_at_a_member_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await gather(world, ["ann", "ben"])
        heard: list[Event] = []
        world["ben"].node.events.listen(heard.append)
        await world["ann"].node.messages.post(crew.channel, "hello")
        await until(lambda: any(isinstance(event, MessageCreated) for event in heard), 0.2, 0.01)
        await world.aclose()

    sim_loop(1).run(story())


def test_the_author_learns_on_how_many_computers_a_message_is_stored(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "cyd"], tmp_path)
        crew = await gather(world, ["ann", "ben", "cyd"])
        posted = await world["ann"].node.messages.post(crew.channel, "hello")
        await asyncio.sleep(3)
        delivery = await world["ann"].node.messages.delivery(posted.id)
        assert len(delivery.stored_on) == 3
        assert delivery.missing == ()
        await world.aclose()

    sim_loop(2).run(story())


def test_a_third_member_delivers_while_the_author_is_away(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "cyd"], tmp_path)
        crew = await gather(world, ["ann", "ben", "cyd"])
        await world["cyd"].stop()
        await world["ann"].node.messages.post(crew.channel, "while you slept")
        await reads(world, "ben", crew, "while you slept")
        await world["ann"].stop()
        await world["cyd"].boot()
        await reads(world, "cyd", crew, "while you slept")
        await world.aclose()

    sim_loop(3).run(story())


def test_a_link_that_was_cut_comes_back_and_brings_what_was_missed(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await gather(world, ["ann", "ben"])
        world.network.part(world["ann"].ip, world["ben"].ip)
        await world["ann"].node.messages.post(crew.channel, "into the dark")
        await until(lambda: not world["ann"].node.links.members(), 20)
        assert world["ann"].node.peers.list()[0].state is not LinkState.LINKED
        world.network.heal()
        await reads(world, "ben", crew, "into the dark", within_s=90)
        await world.aclose()

    sim_loop(4).run(story())


def test_of_two_dials_at_once_the_lower_device_s_link_stays(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await gather(world, ["ann", "ben"])
        ann, ben = world["ann"], world["ben"]
        secret = ann.node.registry.teams()[0].secrets[-1]
        knock = Knock(secret, crew.team)
        for _ in range(5):
            world.network.break_streams(ann.ip, ben.ip)
            await until(lambda: not ann.node.links.members() and not ben.node.links.members(), 1)
            await asyncio.gather(
                ann.node.links.dial(ben.address, knock), ben.node.links.dial(ann.address, knock)
            )
            await asyncio.sleep(2)
            [at_ann], [at_ben] = ann.node.links.members(), ben.node.links.members()
            lower = ann.keyring.device < ben.keyring.device
            assert (at_ann.dialled, at_ben.dialled) == (lower, not lower)
            await asyncio.sleep(30)
            assert ann.node.links.members() == [at_ann]
            assert ben.node.links.members() == [at_ben]
        await world.aclose()

    for seed in range(5):
        sim_loop(seed).run(story())
        for file in tmp_path.iterdir():
            file.unlink()


def test_typing_is_seen_and_ends_by_itself(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await gather(world, ["ann", "ben"])
        heard: list[bool] = []
        world["ben"].node.events.listen(
            lambda event: (
                heard.append(event.typing.on) if isinstance(event, TypingChanged) else None
            )
        )
        world["ann"].node.presence.typing(crew.channel, None, True)
        await until(lambda: heard == [True], 1)
        await until(lambda: heard == [True, False], 8)
        await world.aclose()

    sim_loop(5).run(story())


def test_presence_follows_the_link_and_what_the_person_says(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        await gather(world, ["ann", "ben"])
        ann, ben = world["ann"], world["ben"]
        await ann.node.presence.set(PresenceState.DND, "in a meeting")
        person = ann.keyring.person
        await until(lambda: ben.node.presence.of(person).text == "in a meeting", 1)
        assert ben.node.presence.of(person).state is PresenceState.DND
        await ann.stop()
        await until(lambda: ben.node.presence.of(person).state is PresenceState.OFFLINE, 1)
        await world.aclose()

    sim_loop(6).run(story())


def test_a_joiner_gets_the_whole_history(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await found(world, "ann")
        for number in range(300):
            await world["ann"].node.messages.post(crew.channel, f"note {number}")
        await world["ben"].boot()
        outcome = await world["ben"].node.joining.join(crew.invitation)
        assert outcome.state == "joined"
        await until(lambda: len(world["ben"].node.teams.list()) == 1, 5)
        await reads(world, "ben", crew, "note 299")
        session = await world["ben"].node.conversations.get(crew.channel)
        assert session.messages == 300
        await world.aclose()

    sim_loop(7).run(story())


def test_any_member_lets_in_whoever_has_an_invitation(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "cyd"], tmp_path, discovery=True)
        crew = await found(world, "ann")
        await world["ben"].boot()
        await world["ben"].node.joining.join(crew.invitation)
        await asyncio.sleep(3)
        await world["ann"].stop()
        await world["cyd"].boot()
        outcome = await world["cyd"].node.joining.join(crew.invitation)
        assert outcome.state == "joined"
        await world.aclose()

    sim_loop(8).run(story())


def test_an_invitation_nobody_answers_is_kept_and_tried_again(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await found(world, "ann")
        await world["ann"].stop()
        await world["ben"].boot()
        with pytest.raises(UserError) as refused:
            await world["ben"].node.joining.join(crew.invitation)
        assert refused.value.code == "nobody_reachable"
        await world["ben"].stop()
        await world["ben"].boot()
        await world["ann"].boot()
        await until(lambda: len(world["ben"].node.teams.list()) == 1, 70)
        await world.aclose()

    sim_loop(9).run(story())


def test_a_link_that_ends_before_the_team_s_log_has_come_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path)
        crew = await found(world, "ann")
        invite = await world["ann"].node.teams.invite(crew.team)
        await world["ben"].boot()
        with monkeypatch.context() as patch:
            patch.setattr(LinkSync, "vectors", lambda *_: ([], []))
            outcome = await world["ben"].node.joining.join(invite.link)
            assert outcome.state == "pending"
            await world["ann"].crash()
            await asyncio.sleep(10)
        assert world["ben"].bugs == []
        await world["ann"].boot()
        await until(lambda: len(world["ben"].node.teams.list()) == 1, 70)
        await world.aclose()

    sim_loop(12).run(story())


@pytest.mark.parametrize(
    ("expires_s", "uses", "code"), [(5, None, "expired_invitation"), (None, 1, "used_up")]
)
def test_an_invitation_that_is_over_is_refused_in_words(
    tmp_path: Path, expires_s: int | None, uses: int | None, code: str
) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "cyd"], tmp_path)
        crew = await found(world, "ann")
        invite = await world["ann"].node.teams.invite(crew.team, expires_s=expires_s, uses=uses)
        await asyncio.sleep(10)
        if code == "used_up":
            await world["ben"].boot()
            await world["ben"].node.joining.join(invite.link)
        await world["cyd"].boot()
        with pytest.raises(UserError) as refused:
            await world["cyd"].node.joining.join(invite.link)
        assert refused.value.code == code
        await world.aclose()

    sim_loop(10).run(story())


def test_a_stranger_asks_compares_words_and_is_let_in(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path, discovery=True)
        crew = await found(world, "ann")
        ann, ben = world["ann"], world["ben"]
        await ben.boot()
        answers: list[str] = []
        ben.node.events.listen(
            lambda event: answers.append(event.state) if isinstance(event, AskAnswered) else None
        )
        ben.node.nearby.start()
        await until(lambda: len(ben.node.nearby.teams()) == 1, 5)
        [seen] = ben.node.nearby.teams()
        assert (seen.id, seen.name, seen.computers_online) == (crew.team, "Crew", 1)
        await ben.node.joining.ask(crew.team, "let me in")
        await until(lambda: len(ann.node.joining.requests()) == 1, 10)
        [request] = ann.node.joining.requests()
        assert (request.name, request.note) == ("ben", "let me in")
        assert request.words == ben.node.nearby.teams()[0].words
        assert len(request.words) == 4
        await ann.node.joining.admit(crew.team, request.person)
        await until(lambda: answers == ["admitted"], 10)
        assert len(ben.node.teams.list()) == 1
        await ann.node.messages.post(crew.channel, "welcome")
        await reads(world, "ben", crew, "welcome")
        await world.aclose()

    sim_loop(11).run(story())


def test_a_declined_request_is_told_and_ends(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path, discovery=True)
        crew = await found(world, "ann")
        ann, ben = world["ann"], world["ben"]
        await ben.boot()
        answers: list[str] = []
        ben.node.events.listen(
            lambda event: answers.append(event.state) if isinstance(event, AskAnswered) else None
        )
        ben.node.nearby.start()
        await until(lambda: len(ben.node.nearby.teams()) == 1, 5)
        await ben.node.joining.ask(crew.team)
        await until(lambda: len(ann.node.joining.requests()) == 1, 10)
        await ann.node.joining.decline(crew.team, ben.keyring.person)
        await until(lambda: answers == ["declined"], 10)
        assert not ben.node.teams.list()
        assert not ann.node.joining.requests()
        await world.aclose()

    sim_loop(12).run(story())


def test_a_team_that_is_not_visible_tells_its_name_to_nobody(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path, discovery=True)
        ann, ben = world["ann"], world["ben"]
        await ann.boot()
        await ann.node.teams.create("Secret", visible=False)
        await ben.boot()
        ben.node.nearby.start()
        await asyncio.sleep(130)
        assert ben.node.nearby.teams() == []
        await world.aclose()

    sim_loop(13).run(story())


def test_a_member_that_may_not_admit_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben", "cyd"], tmp_path, discovery=True)
        crew = await found(world, "ann")
        await world["ben"].boot()
        await world["ben"].node.joining.join(crew.invitation)
        await asyncio.sleep(2)
        await world["ann"].stop()
        cyd = await world["cyd"].boot()
        cyd.nearby.start()
        await until(lambda: len(cyd.nearby.teams()) == 1, 5)
        with pytest.raises(UserError) as refused:
            await cyd.joining.ask(crew.team)
        assert refused.value.code == "nobody_to_admit"
        await world.aclose()

    sim_loop(14).run(story())


def test_members_find_each_other_by_the_tag_of_their_team(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(["ann", "ben"], tmp_path, discovery=True)
        crew = await found(world, "ann")
        await world["ben"].boot()
        await world["ben"].node.joining.join(crew.invitation)
        await world["ann"].stop()
        world["ann"].address = "10.0.0.1:7999"
        await world["ann"].boot()
        await until(lambda: len(world["ben"].node.links.members()) == 1, 5)
        assert await texts(world, "ben", crew) == []
        await world.aclose()

    sim_loop(15).run(story())
