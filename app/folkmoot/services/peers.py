"""Whom this node knows and where: the list of peers, and the plan of whom to dial when.

Addresses come from the store, from what a person typed, from records on the network that carry a
tag of a team of ours, from other members, and from servers that say who is there. A device that is
linked is dialled by better ways only, ever more seldom. What servers say is neither kept nor told
to others. Refuses to dial ourselves, and anybody while nothing is shared with whom to prove it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from folkmoot.domain.address import parse_address
from folkmoot.domain.errors import EnvironmentFault, PeerError, UserError
from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.protocol import frames
from folkmoot.services.attempts import Attempts
from folkmoot.services.events import EventBus, PeerChanged
from folkmoot.services.link import Link
from folkmoot.services.links import Knock, Links
from folkmoot.services.ports import Clock, Randomness, Sighting, Store, StoredAddress
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.relay_targets import RelayTargets
from folkmoot.services.sightings import Sightings
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.targets import FIRST_BACKOFF_S, Target, Targets
from folkmoot.services.values import LinkState, Peer, Way

MAX_DIALS = 8
MAX_RELAY_DIALS = 8
"""Besides `MAX_DIALS`: who is not really at a server must not keep others from being reached."""
MAX_KNOCKS = 8
IDLE_S = 30.0
MAX_LAST_SEEN = 4096
MAX_HEARSAY = 256

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Me:
    """Who dials: never dialled."""

    device: Callable[[], DeviceId]
    addresses: Callable[[], Sequence[str]]


class PeersService:
    """The list of peers and the dialler."""

    def __init__(
        self,
        me: Me,
        links: Links,
        sightings: Sightings,
        store: Store,
        clock: Clock,
        randomness: Randomness,
        registry: TeamRegistry,
        events: EventBus,
        supervisor: Supervisor,
        attempts: Attempts,
    ) -> None:
        self._me = me
        self._attempts = attempts
        self._links = links
        self._sightings = sightings
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._registry = registry
        self._events = events
        self._supervisor = supervisor
        self._targets = Targets()
        self._relays = RelayTargets(me.device, registry, randomness)
        self._last_seen_ms: dict[DeviceId, int] = {}
        self._hearsay: dict[DeviceId, tuple[str, ...]] = {}
        self._gossiped: dict[DeviceId, frozenset[DeviceId]] = {}
        self._wake = asyncio.Event()
        links.watch(self._link_up, self._link_down)
        links.handle(frames.Addresses, self._take_addresses)
        links.handle(frames.Hello, self._take_hello)
        sightings.listen(self._seen)

    async def start(self, typed: Sequence[str]) -> None:
        """Remember where peers were, and begin to dial."""
        for stored in await self._store.addresses():
            way = Way.TYPED if stored.typed else Way.DIRECT
            self._targets.add(stored.address, way, device=stored.device, typed=stored.typed)
        for address in typed:
            await self._type(address)
        self._supervisor.start("dialler", self._dial_on())

    # --- what people ask -----------------------------------------------------------------------

    def list(self) -> list[Peer]:
        """Every device of somebody who shares a team with us, by name."""
        devices = {
            device: person
            for state in self._registry.teams()
            for device, person in state.devices.items()
            if person in state.members
        }
        devices.update((link.device, link.person) for link in self._links.members())
        devices.pop(self._me.device(), None)
        peers = [self._peer(device) for device in devices]
        return sorted(peers, key=lambda peer: (peer.name.casefold(), peer.device))

    async def dial(self, address: str) -> Peer:
        """Dial a typed address now and keep it. Raises `UserError` ``bad_address``, ``no_team`` or
        ``unreachable``."""
        target = await self._type(address)
        if target is None:
            raise UserError("own_address", "This is the address of this computer.")
        if not self._knocks(target):
            raise UserError(
                "no_team",
                "The address is kept, but you share no team with anybody yet.",
                "Start a team, or join one with an invitation.",
            )
        link = await self._try(target)
        if link is None:
            raise UserError(
                "unreachable",
                f"Nobody of your teams answers at {target.address}.",
                "Check the address, and that Folkmoot runs there. It is tried again by itself.",
            )
        return self._peer(link.device)

    def redial(self, device: DeviceId) -> None:
        """There is a reason to reach this device now."""
        for target in self._ways_to(device):
            target.retry_soon(_now())
        self._wake.set()

    def addresses(self) -> Sequence[str]:
        """Every address known, the likeliest first: for joining by invitation."""
        now = sorted(self._targets.all(), key=lambda target: (not target.typed, target.backoff_s))
        return [target.address for target in now]

    def strangers(self) -> Sequence[str]:
        """Typed addresses behind which no linked device is known: for looking around."""
        return [
            target.address
            for target in self._targets.all()
            if target.typed and (target.device is None or not self._links.get(target.device))
        ]

    # --- who is at servers (`rendezvous.Meets`) ------------------------------------------------

    def met(self, address: str, device: DeviceId, knock: Knock) -> None:
        """A server says that a device is there. Who is there by an invitation dials us."""
        if knock.invite is not None or device == self._me.device():
            return
        if self._relays.met(address, device, knock, _now()):
            self._wake.set()

    def left(self, address: str, _device: DeviceId) -> None:
        """A device is no longer at a server."""
        self._relays.remove(address)

    def targets(self) -> Sequence[Target]:
        """Every address worth dialling, behind servers too, and what is known of it."""
        return self._all()

    async def attempt(self, target: Target) -> None:
        """Try one address now, unless that is being done; `Attempts` has what came of it."""
        if not target.dialling and self._knocks(target):
            target.dialling = True
            await self._dial(target)

    def network_changed(self) -> None:
        """Whoever is not linked may be reached in another way now: try everything again."""
        for target in self._all():
            target.retry_soon(_now(), self._randomness.uniform(0.0, 0.3))
        self._wake.set()

    # --- dialling ------------------------------------------------------------------------------

    def _all(self) -> Sequence[Target]:
        return [*self._targets.all(), *self._relays.all()]

    def _ways_to(self, device: DeviceId) -> Sequence[Target]:
        return [*self._targets.of(device), *self._relays.of(device)]

    async def _type(self, text: str) -> Target | None:
        address = str(parse_address(text))
        target = self._targets.add(address, Way.TYPED, typed=True)
        await self._store.remember_address(StoredAddress(None, address, True, None))
        if target is not None:
            target.retry_soon(_now())
        self._wake.set()
        return target

    async def _dial_on(self) -> None:
        while True:
            self._wake.clear()
            now = _now()
            busy = {target.group for target in self._all() if target.dialling and target.group}
            waiting = [target for target in self._all() if self._is_wanted(target, busy)]
            due = sorted((t for t in waiting if t.next_at <= now), key=lambda t: t.next_at)
            self._dial_due(self._targets, due, MAX_DIALS, busy)
            self._dial_due(self._relays, due, MAX_RELAY_DIALS, busy)
            next_at = min((t.next_at for t in waiting if t.next_at > now), default=now + IDLE_S)
            try:
                async with asyncio.timeout(min(IDLE_S, next_at - now) + 0.001):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _dial_due(self, table: Targets, due: Sequence[Target], most: int, busy: set[str]) -> None:
        """Dial those of `due` that are in `table`, as many as may be dialled at once."""
        free = most - sum(target.dialling for target in table.all())
        for target in [one for one in due if table.get(one.address) is one][: max(0, free)]:
            if self._is_wanted(target, busy):
                target.dialling = True
                busy.add(target.group)
                self._supervisor.start(f"dial {target.address}", self._dial(target))

    async def _dial(self, target: Target) -> None:
        try:
            await self._try(target)
        except BaseException:
            target.wronged(_now(), 1.0)  # else it would be dialled again at once, for ever
            raise
        finally:
            target.dialling = False
            self._wake.set()

    def _is_wanted(self, target: Target, busy: set[str]) -> bool:
        """Whether to dial there. `busy`: groups that are being dialled."""
        if target.dialling or (target.group and target.group in busy) or not self._knocks(target):
            return False
        link = None if target.device is None else self._links.get(target.device)
        return link is None or link.way.rank < target.way.rank

    async def _try(self, target: Target) -> Link | None:
        """One attempt with each key that may fit; None if there is no link, and why is noted."""
        for knock in self._knocks(target):
            jitter = self._randomness.uniform(0.5, 1.5)
            try:
                with self._attempts.trying(target.means, target.address, target.device) as trial:
                    link = await self._links.dial(
                        target.address, knock, expected=target.device, way=target.way
                    )
                    trial.device = link.device
            except (EnvironmentFault, UserError) as error:
                target.failed(_now(), jitter)
                if error.code in ("unreachable", "bad_address"):
                    return None
            except PeerError as error:
                if not self._refused(target, error, jitter):
                    return None
            else:
                await self._answered(target, link.device)
                return link
        return None

    async def _answered(self, target: Target, device: DeviceId) -> None:
        target.backoff_s = FIRST_BACKOFF_S
        if target.way is not Way.RELAY:
            self._targets.answered(target, device)
            await self._store.remember_address(
                StoredAddress(device, target.address, target.typed, self._clock.wall_ms())
            )

    def _refused(self, target: Target, error: PeerError, jitter: float) -> bool:
        """Note what went wrong; whether another key may do."""
        if error.code == "own_device":
            self._targets.is_own(target.address)
            return False
        if error.code == "unknown_listener":
            target.failed(_now(), jitter)
            return True
        if error.code == "too_slow":  # whoever is busy, or stood still, breaks no rule
            target.failed(_now(), jitter)
            return False
        if error.code == "wrong_device" and target.way is not Way.RELAY:
            self._targets.moved(target)
            target.failed(_now(), jitter)
            return False
        target.wronged(_now(), jitter)
        _log.warning("%s refused: %s (%s)", target.address, error.message, error.code)
        return False

    def _knocks(self, target: Target) -> Sequence[Knock]:
        """Keys to prove: what is known to be shared there, then those of the team seen there or
        shared with the device, the newest first."""
        states = self._registry.teams()
        if target.team is not None:
            states = [state for state in states if state.id == target.team] or states
        elif target.device is not None:
            states = [s for s in states if target.device in s.certificates] or states
        newest = [Knock(state.secrets[-1], state.id) for state in states if state.secrets]
        older = [Knock(old, s.id) for s in states for old in reversed(s.secrets[:-1])]
        knocks = sorted(newest + older, key=lambda knock: knock.key != target.key)
        return knocks[:MAX_KNOCKS]

    # --- what is heard -------------------------------------------------------------------------

    def _seen(self, sighting: Sighting) -> None:
        teams = self._sightings.teams_of(sighting)
        if not teams:
            return
        for address in sighting.addresses[: frames.MAX_ADDRESSES]:
            target = self._targets.add(address, Way.LAN, group=sighting.instance, team=teams[0])
            if target is not None:
                target.retry_soon(_now())
        self._wake.set()

    def teams_changed(self) -> None:
        """Records seen before may carry the tag of a team that is ours only now."""
        for sighting in self._sightings.now():
            self._seen(sighting)
        self._sift_hearsay()
        for link in self._links.members():
            self._gossip(link)

    def _link_up(self, link: Link) -> None:
        self._note_seen(link.device)
        if not link.is_member:
            return
        self._events.publish(PeerChanged(self._peer(link.device, link.person)))
        self._note_listening(link)
        self._gossip(link)
        self._look_for_better(link)

    def _look_for_better(self, link: Link) -> None:
        """Try the better ways once more now; those that fail are tried again ever later."""
        for target in self._targets.of(link.device):
            if target.way.rank > link.way.rank:
                target.next_at = min(target.next_at, _now())
        self._wake.set()

    def _link_down(self, link: Link) -> None:
        if not link.is_member or self._links.get(link.device) is not None:
            return
        self._note_seen(link.device)
        self._gossiped.pop(link.device, None)
        now = _now()
        for target in self._ways_to(link.device):
            if link.reason in ("closing", "duplicate", "replaced", "link_closed", "dead"):
                target.retry_soon(now, self._randomness.uniform(0.2, 1.2))
            else:
                target.wronged(now, self._randomness.uniform(0.5, 1.5))
        self._events.publish(PeerChanged(self._peer(link.device, link.person)))
        self._wake.set()

    async def _take_hello(self, link: Link, _frame: frames.Hello) -> None:
        if link.is_member:
            self._note_listening(link)

    def _note_listening(self, link: Link) -> None:
        """Where the other side listens: by its own word and by what we see of it."""
        hello = link.hello
        if hello is None or not hello.port:
            return
        if link.way not in (Way.NAT, Way.RELAY):
            seen = link.remote if link.dialled else f"{link.host}:{hello.port}"
            self._believe(link.device, seen)
            self._supervisor.start("remember-address", self._remember(link.device, seen))
        for address in hello.addresses:
            self._believe(link.device, address)
        for other in self._links.members():
            if other is not link:
                self._gossip(other)

    async def _remember(self, device: DeviceId, address: str) -> None:
        stored = StoredAddress(device, address, False, self._clock.wall_ms())
        await self._store.remember_address(stored)

    async def _take_addresses(self, link: Link, frame: frames.Addresses) -> None:
        for device, addresses in frame.rows:
            if len(self._hearsay) >= MAX_HEARSAY:
                self._hearsay.clear()
            self._hearsay[device] = addresses
        self._sift_hearsay()

    def _sift_hearsay(self) -> None:
        """Believe what was said of devices of our teams; the team's log may come later."""
        known = {device for state in self._registry.teams() for device in state.certificates}
        for device in [device for device in self._hearsay if device in known]:
            addresses = self._hearsay.pop(device)
            if device != self._me.device():
                for address in addresses:
                    self._believe(device, address, hearsay=True)
        self._wake.set()

    def _believe(self, device: DeviceId, address: str, *, hearsay: bool = False) -> None:
        """Dial `address` for a device. `hearsay`: another said so, who may be wrong or lie."""
        try:
            address = str(parse_address(address))
        except UserError:
            return
        if hearsay and self._targets.is_of_another(address, device):
            return
        if address not in self._me.addresses():
            self._targets.add(address, Way.DIRECT, device=device)
            if hearsay:
                self._attempts.heard(address)

    def _gossip(self, link: Link) -> None:
        """Tell where others of the shared teams were reached, if there is somebody new."""
        rows: dict[DeviceId, tuple[str, ...]] = {}
        for state in self._registry.teams():
            if link.person not in state.members:
                continue
            for device in state.certificates:
                addresses = tuple(target.address for target in self._targets.of(device))
                if addresses and device != link.device:
                    rows[device] = addresses[: frames.MAX_ADDRESSES]
        if not rows.keys() <= self._gossiped.get(link.device, frozenset()):
            self._gossiped[link.device] = frozenset(rows)
            link.send(frames.Addresses(tuple(rows.items())[: frames.MAX_ADDRESS_ROWS]))

    # --- values --------------------------------------------------------------------------------

    def _peer(self, device: DeviceId, person: PersonId | None = None) -> Peer:
        link = self._links.get(device)
        if person is None:
            person = link.person if link is not None else self._registry.person_of(device)
        assert person is not None, "only devices of members are shown"
        targets = self._ways_to(device)
        if link is not None:
            state, way, address = LinkState.LINKED, link.way, link.remote
        else:
            trying = any(target.dialling for target in targets)
            state = LinkState.CONNECTING if trying else LinkState.UNREACHABLE
            way = targets[0].way if targets else Way.DIRECT
            address = targets[0].address if targets else ""
        rtt_ms = link.rtt_s * 1000 if link is not None and link.rtt_s is not None else None
        seen_ms = self._clock.wall_ms() if link is not None else self._last_seen_ms.get(device)
        name = self._registry.name_of(person)
        return Peer(device, person, name, state, way, address, rtt_ms, seen_ms)

    def _note_seen(self, device: DeviceId) -> None:
        if len(self._last_seen_ms) >= MAX_LAST_SEEN:
            self._last_seen_ms.clear()
        self._last_seen_ms[device] = self._clock.wall_ms()


def _now() -> float:
    return asyncio.get_running_loop().time()
