"""A server that makes persons up, is one itself, or stands between two.

What stops it: the proofs of the link (`protocol.handshake`). Both sides sign over the certificate
of this very connection and over the device that is meant, and prove to know the key of the team.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import DeviceId
from folkmoot.net.certificate import ListenerIdentity, make_listener_identity
from folkmoot.protocol import frames as link_frames
from folkmoot.protocol import signaling as words
from folkmoot.protocol.handshake import Dialler, LinkIdentity, Listener
from folkmoot.services.peers import MAX_RELAY_DIALS
from folkmoot.services.ports import Stream
from folkmoot.services.relay_targets import MAX_UNKNOWN
from integration.attacked.town import Resident, Town
from integration.linked.nodes import until
from lab.lying_server import LyingServer, Middle
from sim.world import keys_of

MakeMiddle = Callable[..., Middle]


@pytest.fixture(scope="module")
def own_certificate() -> ListenerIdentity:
    """The server's own certificate of QUIC."""
    return make_listener_identity()


@pytest.fixture
async def middle(
    server: LyingServer, own_certificate: ListenerIdentity
) -> AsyncIterator[MakeMiddle]:
    """Makes the server an end of QUIC."""
    made: list[Middle] = []

    def make(*, passes: bool = True) -> Middle:
        made.append(Middle(server, own_certificate, passes=passes))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


def end_links(*residents: Resident) -> None:
    """End all links, so that they are made anew."""
    for one in residents:
        for link in one.node.links.members():
            link.close("closing", "To be dialled anew.")


def memory_bytes() -> int:
    """What this process has in RAM, without what only waits to be collected."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def ghosts(count: int) -> list[DeviceId]:
    """Devices that do not exist."""
    return [DeviceId(os.urandom(32)) for _ in range(count)]


# --- persons who are not there -------------------------------------------------------------------


async def test_a_thousand_ghosts_keep_nobody_from_anybody(town: Town, server: LyingServer) -> None:
    """A device that nobody knows gets one of `MAX_UNKNOWN` places, and members have their own."""
    await town.crew(server.url)
    ann, ben = town.residents.values()
    tags = server.tags(ann.device, ben.device)
    before, tasks = memory_bytes(), len(asyncio.all_tasks())
    crowd = ghosts(1000)
    for tag in tags:
        server.tell(ann.device, words.Room(tag, (ben.device, *crowd[:255])))
        for one in crowd:
            server.tell(ann.device, words.Came(tag, one))
    await town.say("ben", "among ghosts")
    await town.agree()
    end_links(ann, ben)
    await until(lambda: not ann.linked)
    await until(lambda: ann.linked == {ben.device})
    targets = [one for one in ann.node.peers.targets() if one.device in set(crowd)]
    assert len(targets) <= MAX_UNKNOWN
    assert len(asyncio.all_tasks()) < tasks + 6 * MAX_RELAY_DIALS
    assert len(ann.relays._servers[next(iter(ann.relays._servers))]._endpoints) <= 2 * MAX_UNKNOWN
    assert memory_bytes() - before < 48 * 1024 * 1024
    assert [one.device for one in ann.node.peers.list()] == [ben.device]
    [shown] = ann.node.servers.list()
    assert shown.people == 1
    server.behave()
    await until(lambda: not [t for t in ann.node.peers.targets() if t.device in set(crowd)])
    await town.agree()


@pytest.mark.long
async def test_a_storm_of_coming_and_going_ends_the_connection_and_nothing_else(
    town: Town, server: LyingServer
) -> None:
    """The client counts changes; past the bound the server has broken the rules."""
    async with LyingServer() as other:
        await town.crew(server.url, other.url)
        ann, ben = town.residents.values()
        [tag, *_] = server.tags(ann.device, ben.device)
        rooms = (words.Room(tag, tuple(ghosts(256))), words.Room(tag, (ben.device,)))
        visits = len(server.visits)
        for _ in range(100):
            server.tell(ann.device, *rooms)
        await until(lambda: len(server.visits) > visits)
        await town.say("ann", "in the storm")
        await town.say("ben", "as well")
        await town.agree()
        await until(lambda: ann.linked == {ben.device})


async def test_a_server_that_says_who_is_there_is_gone_ends_no_link(
    town: Town, server: LyingServer
) -> None:
    await town.crew(server.url)
    ann, ben = town.residents.values()
    [link] = ann.node.links.members()
    for tag in server.tags(ann.device, ben.device):
        for one, other in ((ann, ben), (ben, ann)):
            server.tell(one.device, words.Went(tag, other.device), words.Gone(other.device))
    await town.say("ann", "you are not gone")
    await town.agree()
    assert ann.node.links.members() == [link]


# --- the server as a person ----------------------------------------------------------------------


async def test_the_server_between_two_is_refused_by_both(
    town: Town, server: LyingServer, middle: MakeMiddle
) -> None:
    """It has to show a certificate of its own; the knock is made over that of the listener."""
    await town.crew(server.url)
    ann, ben = town.residents.values()
    between = middle()
    end_links(ann, ben)
    await town.say("ann", "only for ben")
    await until(lambda: len(between.passed) >= 2)
    await until(lambda: "unknown_key" in answers(ann, ben) + answers(ben, ann))
    await asyncio.sleep(0.5)
    assert not ann.linked
    assert not ben.linked
    certificates = [one.node.identity.keyring.signed.data for one in (ann, ben)]
    for secret in (b"only for ben", b"computer", ann.person, ben.person, *certificates):
        assert not any(secret in frame for frame in between.passed)
    server.behave()
    await town.agree()


def answers(one: Resident, other: Resident) -> list[str]:
    """How the last attempts ended, as the doctor shows it."""
    return [attempt.code for attempt in one.node._network.attempts.of(other.device)]


async def test_the_server_that_knocks_in_bens_name_is_told_nothing(
    town: Town, server: LyingServer, middle: MakeMiddle
) -> None:
    """It dials ann as ben, with keys of its own. On her own network she would answer a stranger
    with her certificate and the names of visible teams; behind a server she hangs up."""
    await town.crew(server.url)
    ann, ben = town.residents.values()
    assert ann.node.teams.list()[0].visible
    between = middle()
    stream = await between.end(ann.device, ben.device).dial(20)
    stream.open_up()
    mallory = keys_of("mallory")
    with pytest.raises(FolkmootError) as refused:
        await prove(stream, LinkIdentity(mallory.signed, mallory.device_key), None)
    assert refused.value.code == "link_closed"
    assert ann.node.links.strangers() == []
    await stream.aclose()
    server.behave()
    await town.agree()


async def test_the_certificate_of_ben_without_his_key_proves_nothing(
    town: Town, server: LyingServer, middle: MakeMiddle, caplog: pytest.LogCaptureFixture
) -> None:
    """Even with the secret of the team, as somebody has it who was removed: the signature lacks."""
    await town.crew(server.url)
    ann, ben = town.residents.values()
    secret = ann.node.registry.teams()[0].secrets[-1]
    forged = LinkIdentity(ben.node.identity.keyring.signed, keys_of("mallory").device_key)
    between = middle()
    end_links(ann, ben)
    stream = await between.end(ann.device, ben.device).dial(20)
    stream.open_up()
    with pytest.raises(FolkmootError):
        await prove(stream, forged, secret)
    await until(lambda: "bad_signature" in caplog.text)
    assert ben.device not in ann.linked
    await stream.aclose()
    server.behave()
    await town.agree()


@pytest.mark.parametrize("knows_secret", [False, True])
async def test_the_server_as_a_member_of_its_own_making_is_served_nothing(
    town: Town, server: LyingServer, middle: MakeMiddle, knows_secret: bool
) -> None:
    """It says that its own device came, and answers there. Without the secret no link; with it (a
    leak, or somebody who was removed) a link of which nothing follows: it is in no team."""
    await town.crew(server.url)
    ann, ben = town.residents.values()
    await town.say("ann", "not for the server")
    mallory = keys_of("mallory")
    device = DeviceId(mallory.device_key.public)
    secret = ann.node.registry.teams()[0].secrets[-1]
    between = middle(passes=False)
    lie = server.lie
    assert lie is not None
    server.lie = lambda frame: lie(frame) if device == frame.to else (frame,)
    for tag in server.tags(ann.device, ben.device):
        server.tell(ann.device, words.Came(tag, device))
    stream = await asyncio.wait_for(between.accepted.get(), 20)
    me = LinkIdentity(mallory.signed, mallory.device_key)
    got = await answer(stream, me, [secret] if knows_secret else [])
    assert [frame for frame in got if isinstance(frame, link_frames.Segment)] == []
    assert not any(b"not for the server" in link_frames.encode(frame) for frame in got)
    if not knows_secret:
        assert got == []
        assert device not in ann.linked
    assert mallory.person not in {one.person for one in ann.node.peers.list()} or knows_secret
    server.behave()
    await town.agree()


@pytest.mark.long
async def test_who_joins_by_an_invitation_is_let_in_by_a_member_only(
    town: Town, server: LyingServer, middle: MakeMiddle
) -> None:
    """Under the tag of the invitation the server shows a crowd, which answers as best it can: the
    joiner shows the invitation to nobody who does not know its key."""
    ann = await town.open("ann", server.url)
    team = await ann.node.teams.create("Crew")
    [channel] = await ann.node.conversations.list()
    town.channel = channel.id
    link = (await ann.node.teams.invite(team.id)).link
    mallory = keys_of("mallory")
    device = DeviceId(mallory.device_key.public)
    server.crowd = [device, *ghosts(100)]
    between = middle(passes=False)
    lie = server.lie
    assert lie is not None
    server.lie = lambda frame: (frame,) if ann.device in (frame.source, frame.to) else lie(frame)
    me = LinkIdentity(mallory.signed, mallory.device_key)
    heard: list[link_frames.Frame] = []

    async def pretend() -> None:
        while True:
            heard.extend(await answer(await between.accepted.get(), me, []))

    pretending = asyncio.ensure_future(pretend())
    ben = await town.open("ben", server.url)
    assert (await ben.node.joining.join(link)).state == "joined"
    await town.say("ben", "let in")
    await town.agree()
    pretending.cancel()
    assert heard == []
    server.behave()
    await town.agree()


async def prove(stream: Stream, me: LinkIdentity, key: bytes | None) -> None:
    """Run the dialler's side of the handshake with what the server has."""
    machine = Dialler(
        me,
        stream.binding,
        key=key,
        expected=None,
        strangers=True,
        nonce=os.urandom(32),
        random_knock=os.urandom(32),
    )
    stream.send(machine.start())
    while True:
        step = machine.receive(await asyncio.wait_for(stream.receive(), 20))
        if step.reply is not None:
            stream.send(step.reply)
        if step.proved is not None:
            return


async def answer(stream: Stream, me: LinkIdentity, keys: list[bytes]) -> list[link_frames.Frame]:
    """Run the listener's side, ask for everything, and give what comes within a second."""
    machine = Listener(
        me,
        stream.binding,
        keys=keys,
        strangers=True,
        nonce=os.urandom(32),
        random_knock=os.urandom(32),
    )
    got: list[link_frames.Frame] = []
    proved = False
    try:
        async with asyncio.timeout(1.5):
            while True:
                data = await stream.receive()
                if proved:
                    got.append(link_frames.decode(data, stranger=False))
                    continue
                step = machine.receive(data)
                if step.reply is not None:
                    stream.send(step.reply)
                if step.proved is not None:
                    proved = True
                    stream.send(link_frames.encode(link_frames.Digest(bytes(32))))
    except (TimeoutError, FolkmootError):
        pass
    await stream.aclose()
    return got
