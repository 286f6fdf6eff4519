"""Everything of the node that speaks with other computers, composed in one place.

Owns the order in which links, replication, discovery and joining start and stop. Refuses logic of
its own, but for handing presence and typing to those who may see them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import ZERO, ConversationId, DeviceId, EntryId
from folkmoot.protocol import frames
from folkmoot.services.admission import AdmissionService
from folkmoot.services.attempts import Attempts
from folkmoot.services.authority import Authority
from folkmoot.services.bodies import BodyExchange
from folkmoot.services.deliveries import Deliveries
from folkmoot.services.delivery import DeliveryService
from folkmoot.services.direct import DirectWays
from folkmoot.services.events import EventBus
from folkmoot.services.holdings import HeldLogs
from folkmoot.services.joining import Joiner, JoiningService
from folkmoot.services.keyring import Keyring
from folkmoot.services.link import Link
from folkmoot.services.links import Links
from folkmoot.services.mail import MailServers, MailService, MailSurroundings
from folkmoot.services.nearby import NearbyService
from folkmoot.services.own_log import OwnLog
from folkmoot.services.peers import Me, PeersService
from folkmoot.services.ports import Appended, Clock, Discovery, Randomness, Store, Transport
from folkmoot.services.presence import PresenceService
from folkmoot.services.publish import Publisher
from folkmoot.services.reachability import Reachability
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.rendezvous import RendezvousService
from folkmoot.services.replication import Replication
from folkmoot.services.sightings import Sightings
from folkmoot.services.signaling_port import Ice, Sealer
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import PresenceState


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The parts of the node that the network works on."""

    keyring: Callable[[], Keyring]
    joiner: Joiner
    word_list: Sequence[str]
    version: str
    store: Store
    transport: Transport
    discovery: Discovery | None
    clock: Clock
    randomness: Randomness
    registry: TeamRegistry
    publisher: Publisher
    own_log: OwnLog
    presence: PresenceService
    delivery: DeliveryService
    servers: RendezvousService
    ice: Ice | None
    events: EventBus
    supervisor: Supervisor
    notice: Callable[[str, str, str], None]


class Network:
    """Links and all that runs over them."""

    def __init__(self, around: Surroundings) -> None:
        """Compose; nothing runs before `start`."""
        self._around = around
        me = around.keyring().person
        store, registry, supervisor = around.store, around.registry, around.supervisor
        self._held = HeldLogs()
        self._tags: tuple[bytes, ...] = ()
        self._loaded = False
        self.sightings = Sightings(registry)
        self.attempts = Attempts(_now, around.clock.wall_ms)
        self.links = Links(
            around.keyring,
            around.transport,
            around.randomness,
            registry,
            supervisor,
            around.version,
        )
        self.reachability = Reachability(
            self.links,
            around.transport,
            around.discovery,
            store,
            self.sightings,
            around.notice,
            supervisor,
        )
        self.replication = Replication(
            self.links,
            self._held,
            Authority(me, registry, lambda team: self.joining.expects(team)),
            store,
            around.randomness,
            registry,
            around.publisher,
            Deliveries(store, around.delivery, supervisor),
            supervisor,
        )
        self.bodies = BodyExchange(
            self.links, self._held, store, registry, around.publisher, supervisor
        )
        self.peers = PeersService(
            Me(lambda: around.keyring().device, self.reachability.addresses),
            self.links,
            self.sightings,
            store,
            around.clock,
            around.randomness,
            registry,
            around.events,
            supervisor,
            self.attempts,
        )
        self.reachability.watch(self.peers.network_changed)
        self.reachability.watch(around.servers.network_changed)
        if around.ice is not None:
            direct = DirectWays(
                lambda: around.keyring().device,
                self.links,
                around.ice,
                around.servers.stun,
                registry,
                around.randomness,
                supervisor,
                self.attempts,
            )
            self.reachability.watch(direct.network_changed)
        self.nearby = NearbyService(
            me,
            self.links,
            self.sightings,
            self.peers.strangers,
            registry,
            around.events,
            supervisor,
        )
        self.admission = AdmissionService(
            me,
            around.word_list,
            self.links,
            store,
            around.clock,
            around.randomness,
            registry,
            around.own_log,
            around.events,
        )
        self.joining = JoiningService(
            around.joiner,
            around.word_list,
            self.admission,
            self.links,
            self.sightings,
            self.nearby,
            self.peers.addresses,
            around.servers,
            store,
            around.randomness,
            registry,
            around.publisher,
            around.events,
            supervisor,
        )
        self.mail: MailService | None = None
        self.links.watch(self._link_up, self._link_down)
        self.links.handle(frames.Presence, self._take_presence)
        self.links.handle(frames.Typing, self._take_typing)
        around.servers.watch(self.peers)
        around.publisher.listen(self._committed)
        around.presence.attach(self)

    def add_mail(self, servers: MailServers, sealer: Sealer) -> MailService:
        """Leave sealed mail at servers, and take it; called before `start`."""
        around = self._around
        self.mail = MailService(
            MailSurroundings(
                keyring=around.keyring,
                servers=servers,
                sealer=sealer,
                store=around.store,
                clock=around.clock,
                registry=around.registry,
                held=self._held,
                links=self.links,
                take=self.replication.take_mail,
                publisher=around.publisher,
                events=around.events,
                supervisor=around.supervisor,
            )
        )
        return self.mail

    async def listen(self, wanted: Sequence[str]) -> None:
        """Take links from now on, `wanted`: where. Raises as `Reachability.listen`."""
        if not self._loaded:
            await self._held.load(self._around.store)
            await self.admission.load()
            if self.mail is not None:
                await self.mail.load()
            self._loaded = True
        await self.reachability.listen(wanted)

    async def start(self, peers: Sequence[str] = (), servers: Sequence[str] = ()) -> None:
        """Announce and dial, once it listens. `servers`: signaling servers of this run."""
        self.links.start()
        self.replication.start()
        if self.mail is not None:
            self.mail.start()
        self.nearby.begin()
        await self.reachability.start()
        await self.peers.start(peers)
        await self._around.servers.start(servers)
        await self.joining.start()

    async def aclose(self) -> None:
        """Say goodbye, stop listening and announcing."""
        if self.mail is not None:
            await self.mail.aclose()
        await self.reachability.aclose()
        await self.links.aclose()
        await self._around.servers.aclose()
        if self._around.ice is not None:
            await self._around.ice.aclose()

    # --- presence and typing -----------------------------------------------------------------

    def tell_presence(self, state: PresenceState, text: str, until_ms: int | None) -> None:
        """Send this person's state to all linked devices of shared teams."""
        frame = frames.Presence(state.value, text, until_ms or 0)
        for link in self.links.members():
            link.send(frame)

    def tell_typing(self, conversation: ConversationId, thread: EntryId | None, on: bool) -> None:
        """Say that this person writes, to those who may see the conversation."""
        frame = frames.Typing(conversation, thread or EntryId(ZERO), on)
        for link in self.links.members():
            if self._around.registry.may_see(conversation, link.person):
                link.send(frame)

    async def _take_presence(self, link: Link, frame: frames.Presence) -> None:
        try:
            state = PresenceState(frame.state)
        except ValueError as error:
            raise PeerError("bad_frame", "This state of presence does not exist.") from error
        if self.links.get(link.device) is not link:
            return  # an older word than that of the link which took its place
        self._around.presence.heard(link.device, state, frame.text, frame.until_ms or None)

    async def _take_typing(self, link: Link, frame: frames.Typing) -> None:
        thread = None if frame.thread == ZERO else frame.thread
        self._around.presence.heard_typing(link.device, frame.conversation, thread, frame.on)

    def _link_up(self, link: Link) -> None:
        if link.is_member:
            self._around.presence.link_up(link.device, link.person)
            state, text, until_ms = self._around.presence.own()
            link.send(frames.Presence(state.value, text, until_ms or 0))

    def _link_down(self, link: Link) -> None:
        if link.is_member and self.links.get(link.device) is None:
            self._around.presence.link_down(link.device)

    # --- commits -----------------------------------------------------------------------------

    def _committed(self, appended: Appended, _source: DeviceId | None) -> None:
        if not appended.teams:
            return
        self.peers.teams_changed()
        self._around.servers.teams_changed()
        tags = tuple(self.sightings.tags(""))
        if tags != self._tags:
            self._around.supervisor.start("announce", self.reachability.tags_changed())
        self._tags = tags


def _now() -> float:
    return asyncio.get_running_loop().time()
