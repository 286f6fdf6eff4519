"""All links of the node: makes them, keeps one per pair of devices, and ends the dead ones.

Every stream, taken or dialled, goes through the handshake of `protocol.handshake` within a time
limit; before both proofs nothing else is read. Of two links between the same two devices the one of
the better way stays, of two equal ones that which the lower device id dialled. The one that gives
way is drained: others hear of the new link first, and of the end of the old one when nothing more
can come from it. Refuses links to oneself, links past a bound (in all, of one address, of one
person), and strangers at all behind a server, or while no team is open to them. Whom to dial is for
`services.peers`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId
from folkmoot.domain.servers import RELAY_PREFIX, parse_relay_address
from folkmoot.domain.team import TeamState
from folkmoot.protocol import frames
from folkmoot.protocol.codec import MAX_INTEGER
from folkmoot.protocol.frames import Frame
from folkmoot.protocol.handshake import Dialler, LinkIdentity, Listener, Proved
from folkmoot.protocol.invites import invite_key
from folkmoot.services.keyring import Keyring
from folkmoot.services.link import Link, Standing, way_of
from folkmoot.services.ports import Randomness, Stream, Transport
from folkmoot.services.quiet_log import QuietLog
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import Way

BEAT_S = 2.0
HANDSHAKE_S = 5.0
DIAL_S = 3.0
MAX_STRANGERS = 64
MAX_STRANGERS_PER_ADDRESS = 8
"""Of strangers who came to us; those whom we dialled are bounded by who dials."""
MAX_STRANGERS_PER_SERVER = 32
MAX_STRANGERS_PER_DEVICE = 2
"""Behind a server: it is one address, and everybody there may be somebody else."""
MAX_MEMBERS = 256
MAX_LINKS_PER_PERSON = 16
"""A person certifies devices at will: one alone must not take every place."""
STRANGER_IDLE_S = 20.0
FRESH_S = 2.5
"""A link that was heard within it lives; one that was not gives way to a new one."""
SETTLED_S = 10.0
"""Longer than any dial takes: who dials again later has lost the link that we still have."""
MAX_DRAINING = 3
"""Links to one device whose place another took: a way of each kind may come within a moment."""
TWIN_S = 1.0
"""Links that one side dialled within it are one attempt at several addresses, and may come up in
another order at the other side: both keep the one of the lower transcript."""
RECENT_SECRETS = 2
"""Of each team: tried before invitations."""

_log = logging.getLogger(__name__)
F = TypeVar("F", bound=Frame)


@dataclass(frozen=True, slots=True)
class Knock:
    """A key that both sides of a new link prove to know, and what it stands for.

    `invite` set: an invitation of `team`; otherwise a secret of `team`, or, with neither, a direct
    conversation.
    """

    key: bytes
    team: ConversationId | None = None
    invite: EntryId | None = None


class Links:
    """The table of links. Everything runs on the node's loop."""

    def __init__(
        self,
        keyring: Callable[[], Keyring],
        transport: Transport,
        randomness: Randomness,
        registry: TeamRegistry,
        supervisor: Supervisor,
        version: str,
    ) -> None:
        self._keyring = keyring
        self._transport = transport
        self._randomness = randomness
        self._registry = registry
        self._supervisor = supervisor
        self._version = version
        self._members: dict[DeviceId, Link] = {}
        self._strangers: dict[int, Link] = {}
        self._retired: dict[int, Link] = {}
        self._handlers: dict[type[Frame], Callable[[Link, Frame], Awaitable[None]]] = {}
        self._up: list[Callable[[Link], None]] = []
        self._down: list[Callable[[Link], None]] = []
        self._past_traffic = (0, 0)
        self._strangers_log = QuietLog(_log, _now)
        self._listening: tuple[str, ...] = ()
        self._own_addresses: tuple[str, ...] = ()

    # --- wiring ------------------------------------------------------------------------------

    def handle(self, kind: type[F], handler: Callable[[Link, F], Awaitable[None]]) -> None:
        """`handler` gets every frame of this type; awaiting it holds the link's reading."""
        self._handlers[kind] = handler  # type: ignore[assignment]

    def watch(self, up: Callable[[Link], None], down: Callable[[Link], None]) -> None:
        """Be told of links that come up (strangers' too, and again when promoted) and go down.

        Where a link takes the place of another, `down` of the old one comes after `up` of the new
        one, up to two seconds later: by then `get` gives the new one.
        """
        self._up.append(up)
        self._down.append(down)

    # --- the table ---------------------------------------------------------------------------

    def members(self) -> list[Link]:
        """Links to devices that share a team or conversation with us."""
        return list(self._members.values())

    def strangers(self) -> list[Link]:
        """Links to everybody else."""
        return list(self._strangers.values())

    def get(self, device: DeviceId) -> Link | None:
        """The member link to a device."""
        return self._members.get(device)

    def draining(self) -> list[Link]:
        """Links whose place another took, while something may still come over them."""
        return list(self._retired.values())

    def traffic(self) -> tuple[int, int]:
        """(bytes in, bytes out) of all links since the start."""
        taken, given = self._past_traffic
        for link in self._all():
            more_in, more_out = link.traffic()
            taken, given = taken + more_in, given + more_out
        return taken, given

    # --- life --------------------------------------------------------------------------------

    async def listen(self, addresses: list[str]) -> list[str]:
        """Take links at these addresses; raises `EnvironmentFault` ``port_taken``."""
        bound = await self._transport.listen(addresses, self.accept)
        self._listening = tuple(bound)
        return bound

    def says(self, addresses: Sequence[str]) -> None:
        """What new links are told of where we can be reached."""
        self._own_addresses = tuple(addresses[: frames.MAX_ADDRESSES])

    def start(self) -> None:
        """Begin to watch over the links."""
        self._supervisor.start("heartbeat", self._beat())

    async def aclose(self) -> None:
        """Say goodbye on every link and stop listening."""
        for link in self._all():
            link.close("closing", "This computer goes away.")
        await self._transport.aclose()

    def _all(self) -> list[Link]:
        return [*self._members.values(), *self._strangers.values(), *self._retired.values()]

    async def dial(
        self,
        address: str,
        knock: Knock | None,
        *,
        expected: DeviceId | None = None,
        stranger: bool = False,
        way: Way = Way.DIRECT,
    ) -> Link:
        """A proved link to whoever listens at `address`; it lives on by itself.

        `stranger`: go on even if the other side does not know the key. An address behind a server
        names the device that is expected. Raises `EnvironmentFault` ``unreachable``,
        ``link_closed`` (it knows no key of ours, or is too busy), ``not_wanted`` (it knows the key,
        but is not whom we seek) or ``timed_out``, and `PeerError` (``own_device`` if it is
        ourselves, ``wrong_device`` if it is not the `expected` one, or what the handshake finds).
        """
        if address.startswith(RELAY_PREFIX):
            expected = parse_relay_address(address)[1]
        stream = await self._transport.dial(address, DIAL_S)
        return await self.prove(stream, knock, expected=expected, stranger=stranger, way=way)

    async def prove(
        self,
        stream: Stream,
        knock: Knock | None,
        *,
        expected: DeviceId | None = None,
        stranger: bool = False,
        way: Way = Way.DIRECT,
    ) -> Link:
        """A proved link over a stream that we dialled; as `dial`."""
        machine = Dialler(
            self._identity(),
            stream.binding,
            key=knock.key if knock else None,
            expected=expected,
            strangers=stranger,
            nonce=self._randomness.bytes(32),
            random_knock=self._randomness.bytes(32),
        )
        stream.send(machine.start())
        try:
            proved = await self._shake(stream, machine)
        except EnvironmentFault as fault:
            raise _why_closed(fault, machine) from fault
        matched = None if proved.stranger else knock
        link = self._admit(stream, proved, matched, dialled=True, way=way)
        self._begin(link)
        self._supervisor.start(f"link to {stream.remote}", self._run(link))
        return link

    async def accept(self, stream: Stream) -> None:
        """Take a stream that somebody dialled; returns when its link is over."""
        knocks = knocks_to_try(self._registry.teams(), self._registry.directs())
        machine = Listener(
            self._identity(),
            stream.binding,
            keys=[knock.key for knock in knocks],
            strangers=self._open_to_strangers(stream),
            nonce=self._randomness.bytes(32),
            random_knock=self._randomness.bytes(32),
        )
        try:
            proved = await self._shake(stream, machine)
            matched = None if proved.key_index is None else knocks[proved.key_index]
            link = self._admit(stream, proved, matched, dialled=False, way=Way.DIRECT)
        except PeerError as error:
            words = "%s refused: %s (%s)"
            self._strangers_log.info(words, stream.remote, error.message, error.code)
            return
        except EnvironmentFault:
            return
        self._begin(link)
        await self._run(link)

    async def _shake(self, stream: Stream, machine: Dialler | Listener) -> Proved:
        """Run the handshake; on any failure the stream is closed."""
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                while True:
                    step = machine.receive(await stream.receive())
                    if step.reply is not None:
                        stream.send(step.reply)
                    if step.proved is not None:
                        return step.proved
        except TimeoutError as error:
            await stream.aclose()
            raise EnvironmentFault("timed_out", "The other computer was too slow.") from error
        except BaseException:
            await stream.aclose()
            raise

    def _identity(self) -> LinkIdentity:
        keyring = self._keyring()
        return LinkIdentity(keyring.signed, keyring.device_key)

    def _admit(
        self, stream: Stream, proved: Proved, knock: Knock | None, *, dialled: bool, way: Way
    ) -> Link:
        # Both sides must see the same: who was admitted while away knows nothing of it yet, and
        # dials as a stranger or with an invitation, to be told. Whoever knows the persons of a
        # direct conversation knows its id: that alone proves nothing.
        member = False
        if knock is not None and knock.invite is None:
            shared = bool(self._registry.shared_with(proved.certificate.person))
            member = knock.team is not None or shared
        link = Link(
            stream,
            self._supervisor,
            certificate=proved.certificate,
            signed=proved.signed,
            transcript=proved.link,
            standing=Standing.MEMBER if member else Standing.STRANGER,
            dialled=dialled,
            way=way_of(stream.remote, way),
            now=_now(),
            strangers_log=self._strangers_log,
        )
        if knock is not None:
            link.team, link.invite = knock.team, knock.invite
        return link

    def _begin(self, link: Link) -> None:
        """Take a proved link in; it has its place before anybody can ask for it."""
        link.open_up()
        if self._enter(link):
            link.send(self._hello())
            self._take_place(link)

    async def _run(self, link: Link) -> None:
        try:
            await link.run(self._take)
        finally:
            self._leave(link)

    # --- one link per pair -------------------------------------------------------------------

    def promote(self, link: Link) -> None:
        """A stranger became a member: treat the link as such from now on."""
        if link.is_member or link.closed:
            return
        link.promote(_now())
        if self._enter(link):
            self._strangers.pop(id(link), None)
            self._take_place(link)

    def _enter(self, link: Link) -> bool:
        if not link.is_member:
            if not link.dialled and self._too_many_strangers(link):
                link.close("busy", "Too many computers are linked.")
                return False
            self._strangers[id(link)] = link
            return True
        old = self._members.get(link.device)
        if old is not None and not old.closed:
            if self._is_duplicate(old, link):
                link.close("duplicate", "There is a link already.")
                return False
        elif self._too_many_members(link):
            link.close("busy", "Too many computers are linked.")
            return False
        return True

    def _is_duplicate(self, old: Link, link: Link) -> bool:
        """Whether `link` must not take the place of `old`."""
        better = link.way.rank - old.way.rank
        now = _now()
        if better > 0 or now - old.heard_at >= FRESH_S or now - old.since >= SETTLED_S:
            return False
        if better < 0 or self._stays(old) is not self._stays(link):
            return better < 0 or self._stays(old)
        return now - old.since < TWIN_S and old.transcript < link.transcript

    def _take_place(self, link: Link) -> None:
        """Tell of a link that entered, and let the one drain whose place it takes."""
        old = None
        if link.is_member:
            old = self._members.get(link.device)
            self._members[link.device] = link
        for up in self._up:
            up(link)
        if old is not None:
            older = [one for one in self._retired.values() if one.device == link.device]
            for one in older[: 1 - MAX_DRAINING]:
                one.close("replaced", "A newer link takes its place.")
            self._retired[id(old)] = old
            old.retire()

    def _too_many_strangers(self, link: Link) -> bool:
        came = [other for other in self._strangers.values() if not other.dialled]
        near = sum(other.host == link.host for other in came)
        if link.way is not Way.RELAY:
            return len(came) >= MAX_STRANGERS or near >= MAX_STRANGERS_PER_ADDRESS
        same = sum(other.remote == link.remote for other in came)
        crowded = near >= MAX_STRANGERS_PER_SERVER or same >= MAX_STRANGERS_PER_DEVICE
        return len(came) >= MAX_STRANGERS or crowded

    def _too_many_members(self, link: Link) -> bool:
        own = sum(other.person == link.person for other in self._members.values())
        return len(self._members) >= MAX_MEMBERS or own >= MAX_LINKS_PER_PERSON

    def _stays(self, link: Link) -> bool:
        """Whether it is the link that the lower of the two device ids dialled."""
        return link.dialled == (self._keyring().device < link.device)

    def _leave(self, link: Link) -> None:
        taken, given = link.traffic()
        self._past_traffic = self._past_traffic[0] + taken, self._past_traffic[1] + given
        known = [self._strangers.pop(id(link), None), self._retired.pop(id(link), None)]
        if self._members.get(link.device) is link:
            known.append(self._members.pop(link.device))
        if any(known):
            for down in self._down:
                down(link)

    # --- frames ------------------------------------------------------------------------------

    async def _take(self, link: Link, frame: Frame) -> None:
        handler = self._handlers.get(type(frame))
        if handler is not None:
            await handler(link, frame)

    def _hello(self) -> frames.Hello:
        port = int(self._listening[0].rpartition(":")[2]) if self._listening else 0
        name = self._keyring().certificate.name
        return frames.Hello(1, self._version, name, port, self._own_addresses)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            now = _now()
            for link in self.members():
                link.beat(now)
            for link in self.strangers():
                link.beat(now)
                if not link.kept and now - link.since > STRANGER_IDLE_S:
                    link.close("idle", "Nothing more was asked.")

    # --- who is there ------------------------------------------------------------------------

    def _open_to_strangers(self, stream: Stream) -> bool:
        """On a network of ours only: a server would be told names of teams and persons."""
        if "://" in stream.remote:
            return False
        return any(state.visible for state in self._registry.teams())


def knocks_to_try(
    teams: Sequence[TeamState], directs: Iterable[ConversationId] = ()
) -> list[Knock]:
    """Every key a dialler may know, those first that matter most: only so many are tried.

    First each team's secret in force and the one before, then invitations that can be used, then
    older secrets (who was long away knows no newer), used invitations, direct conversations.
    """
    invites = [(state.id, invite) for state in teams for invite in state.invites.values()]
    invites.sort(key=lambda item: -(item[1].expires_ms or MAX_INTEGER))
    secrets = [
        (age, Knock(key, state.id))
        for state in teams
        for age, key in enumerate(reversed(state.secrets))
    ]
    secrets.sort(key=lambda item: item[0])
    usable, used = (
        [Knock(invite_key(i.public_key), team, i.id) for team, i in invites if i.is_used_up is over]
        for over in (False, True)
    )
    new = [knock for age, knock in secrets if age < RECENT_SECRETS]
    old = [knock for age, knock in secrets if age >= RECENT_SECRETS]
    return [*new, *usable, *old, *used, *(Knock(direct) for direct in directs)]


def _why_closed(fault: EnvironmentFault, machine: Dialler) -> EnvironmentFault:
    """Whoever knew the key and closed after our proof is another device than the one we named."""
    if fault.code != "link_closed" or not machine.matched:
        return fault
    return EnvironmentFault("not_wanted", "The computer there is not the one that is sought.")


def _now() -> float:
    return asyncio.get_running_loop().time()
