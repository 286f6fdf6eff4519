"""Sealed mail: what this device wrote, left at a server for those who are away.

Owns for whom an envelope is due, when, and where it is left; `mail_packing` says what goes into it.
Refuses to leave anything for a device that is linked or about to be, without its leave
(`mail_grants`), or unsealed. Nothing counts as delivered before the device says so on a link.
Envelopes for us are opened by `mail_intake`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from folkmoot.domain.entry import Entry, Kind
from folkmoot.domain.errors import EnvironmentFault, PeerError, UserError
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, LogKey
from folkmoot.domain.servers import ServerUrl
from folkmoot.protocol import frames
from folkmoot.protocol.mail import mail_info, segment_of, write_mail
from folkmoot.services.authority import Verdict
from folkmoot.services.events import DeliveryChanged, Event, EventBus, ServersChanged
from folkmoot.services.holdings import HeldLogs
from folkmoot.services.keyring import Keyring
from folkmoot.services.link import Link
from folkmoot.services.links import Links
from folkmoot.services.mail_grants import MailGrants
from folkmoot.services.mail_intake import MailIntake
from folkmoot.services.mail_packing import MailPacking
from folkmoot.services.mail_record import MailRecord, Run
from folkmoot.services.pace import Bucket
from folkmoot.services.ports import Appended, Clock, Store
from folkmoot.services.publish import Publisher
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.signaling_port import Sealer, ServerState
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import Delivery, Sealed, ServerPhase, soonest

GATHER_S = 2.0
"""What is written within it goes into one envelope."""
LOST_S = 5.0
"""So long after the end of a link it is looked whether the device lacks something."""
THERE_S = 10.0
"""A device that a server says is there will be linked; it is looked again after this."""
BELIEVED_S = 60.0
"""A server that speaks of a device to which no link comes is not believed for longer."""
REST_S = 30.0
FULL_REST_S = 600.0
PUT_S = 15.0
PUTS_PER_S, PUTS_BURST = 1.5, 80.0
"""Below what servers take of one device."""
CLOSE_S = 1.0
RENEW_EVERY_S = 3600.0
KEEP_S = 24 * 3600
MAX_AT_ONCE = 8
"""Envelopes for one device in a row; the rest is left to history."""
MAX_TOLD = 20

_log = logging.getLogger(__name__)


class MailServers(Protocol):
    """What mail needs of the servers (`services.rendezvous`); everything on the node's loop."""

    def states(self) -> Mapping[ServerUrl, ServerState]:
        """How each server of ours stands."""
        ...

    def is_there(self, device: DeviceId) -> bool:
        """Whether a device is under a tag with us at a server now."""
        ...

    def on_mail(self, take: Callable[[ServerUrl, bytes, bytes], None]) -> None:
        """Hand every envelope that comes to `take`: server, id, sealed."""
        ...

    async def put(
        self, url: ServerUrl, recipient: DeviceId, grant: bytes, sealed: bytes, keep_s: int
    ) -> int:
        """As `Signaling.put`."""
        ...

    def taken(self, url: ServerUrl, ids: Sequence[bytes]) -> None:
        """As `Signaling.taken`."""
        ...


@dataclass(frozen=True, slots=True)
class MailSurroundings:
    """The parts of the node that mail works on. `take` is `Replication.take_mail`."""

    keyring: Callable[[], Keyring]
    servers: MailServers
    sealer: Sealer
    store: Store
    clock: Clock
    registry: TeamRegistry
    held: HeldLogs
    links: Links
    take: Callable[[Sequence[frames.Segment], DeviceId], Awaitable[list[Verdict]]]
    publisher: Publisher
    events: EventBus
    supervisor: Supervisor


class MailService:
    """Puts envelopes for others, takes those for us, and says what waits where."""

    def __init__(self, around: MailSurroundings) -> None:
        """Compose; nothing runs before `start`."""
        self._around = around
        self._servers = around.servers
        self._grants = MailGrants(around.keyring, around.store, around.clock)
        self._record = MailRecord(around.store)
        self._packing = MailPacking(
            *(around.keyring, around.store, around.clock, around.registry, around.held),
            self._record,
        )
        self._intake = MailIntake(
            around.keyring, around.sealer, around.registry, around.take, around.servers.taken
        )
        self._due: dict[DeviceId, float] = {}
        self._said: dict[DeviceId, float] = {}
        """Since when servers say of devices that they are there, though they are not linked."""
        self._pace = Bucket(PUTS_PER_S, PUTS_BURST, 0.0)
        self._wake = asyncio.Event()
        self._ready: tuple[ServerUrl, ...] = ()
        """Servers with a mailbox that can be used now."""
        self._boxes: tuple[ServerUrl, ...] = ()
        """These, and those that were ready before: we shall look there again."""
        self._rests: dict[ServerUrl, float] = {}
        around.links.watch(self._link_up, self._link_down)
        around.links.handle(frames.MailGrants, self._take_grants)
        around.publisher.listen(self._committed)
        around.events.listen(self._told)
        around.servers.on_mail(self._intake.add)

    async def load(self) -> None:
        """Take what is kept; called before links come up."""
        await self._grants.load()
        await self._record.load(self._around.clock.wall_ms())

    def start(self) -> None:
        """Begin."""
        self._around.supervisor.start("mail", self._run())
        self._around.supervisor.start("mail-intake", self._intake.run())
        self._servers_changed()

    async def aclose(self) -> None:
        """Leave what was just written, as far as that goes at once; the node closes next."""
        soon = [device for device, at in self._due.items() if at <= _now() + GATHER_S]
        try:
            async with asyncio.timeout(CLOSE_S):
                for device in soon:
                    del self._due[device]
                    await self._try(device)
        except TimeoutError:
            _log.info("not everything was left for those who are away")

    # --- what waits --------------------------------------------------------------------------

    @property
    def keeps_any(self) -> bool:
        """Whether anything waits, or did a moment ago."""
        return bool(self._record.devices())

    async def waits(self, message: EntryId) -> Sealed | None:
        """Where an entry waits for anybody, the place where it does so the shortest."""
        return soonest(await self._sealed(message, self._record.devices()))

    async def with_sealed(self, message: EntryId, delivery: Delivery) -> Delivery:
        """`delivery` with where it waits for whom."""
        sealed = await self._sealed(message, delivery.missing)
        return replace(delivery, sealed=sealed) if sealed else delivery

    async def _sealed(self, message: EntryId, devices: Sequence[DeviceId]) -> tuple[Sealed, ...]:
        entry = await self._around.store.entry(message)
        if entry is None:
            return ()
        now_ms = self._around.clock.wall_ms()
        return self._record.sealed(devices, entry.log, entry.header.sequence, now_ms)

    # --- what sets it off --------------------------------------------------------------------

    def _committed(self, appended: Appended, source: DeviceId | None) -> None:
        if source is None and self._grants.devices():
            places = {entry.log.conversation for entry in appended.entries}
            devices = {d for place in places for d in self._around.registry.devices_of(place)}
            self._plan(devices.intersection(self._grants.devices()), GATHER_S)

    def _link_up(self, link: Link) -> None:
        if link.is_member:
            self._said.pop(link.device, None)
            self._grants.link_up(link)
            self._grants.give(link, self._boxes)

    def _link_down(self, link: Link) -> None:
        if link.is_member:
            self._plan({link.device}, LOST_S)

    async def _take_grants(self, link: Link, frame: frames.MailGrants) -> None:
        await self._grants.take(link, frame)

    def _told(self, event: Event) -> None:
        if isinstance(event, ServersChanged):
            self._servers_changed()

    def _servers_changed(self) -> None:
        """A server with a mailbox is new or gone: what we may do and let others do changes."""
        states = self._servers.states()
        ready = tuple(
            url
            for url, state in states.items()
            if state.phase is ServerPhase.READY and state.mail_s > 0
        )
        boxes = tuple(url for url in states if url in ready or url in self._boxes)
        fresh = set(ready) - set(self._ready)
        known, self._ready, self._boxes = self._boxes, ready, boxes
        if boxes != known:
            self._give_all()
        if fresh:
            self._plan(set(self._grants.devices()), GATHER_S)

    def _give_all(self) -> None:
        for link in self._around.links.members():
            self._grants.give(link, self._boxes)

    def _plan(self, devices: set[DeviceId], after_s: float) -> None:
        at = _now() + after_s
        for device in devices - {self._around.keyring().device}:
            self._due.setdefault(device, at)
        self._wake.set()

    async def _run(self) -> None:
        """Leave what is due, device by device."""
        renew_at = _now() + RENEW_EVERY_S
        while True:
            self._wake.clear()
            now = _now()
            if renew_at <= now:
                renew_at = now + RENEW_EVERY_S
                self._give_all()
            due = [device for device, at in self._due.items() if at <= now]
            if not due:
                await _wait(self._wake, min([renew_at, *self._due.values()]) - now)
                continue
            for device in due:
                if self._due.pop(device, None) is not None:
                    await self._try(device)

    async def _try(self, device: DeviceId) -> None:
        try:
            await self._serve(device)
        except PeerError as error:
            _log.warning("no envelope for %s: %s", device.hex()[:8], error)
        except EnvironmentFault as error:
            _log.warning("no envelope for %s now: %s", device.hex()[:8], error)
            self._plan({device}, REST_S)

    # --- leaving envelopes -------------------------------------------------------------------

    def _is_away(self, device: DeviceId) -> bool:
        return self._around.links.get(device) is None and not self._is_expected(device)

    def _is_expected(self, device: DeviceId) -> bool:
        """Whether a server says that a device is there; believed as long as a link may take."""
        if not self._servers.is_there(device):
            self._said.pop(device, None)
            return False
        return _now() - self._said.setdefault(device, _now()) < BELIEVED_S

    async def _serve(self, device: DeviceId) -> None:
        """Leave what `device` lacks, if it is away."""
        if self._around.links.get(device) is not None:
            return
        if self._is_expected(device):
            self._plan({device}, THERE_S)
            return
        key = self._seal_key(device)
        if key is None or not self._places(device):
            if any(self._grants.grant_of(device, url) for url in self._rests):
                self._plan({device}, REST_S)
            return
        held = await self._around.store.held_by(device)
        for _ in range(MAX_AT_ONCE):
            # Who must wait longer has more in one envelope.
            await asyncio.sleep(self._pace.owe(_now(), 1))
            packed = await self._packing.pack(device, held)
            if not packed or not self._is_away(device):
                return
            text = write_mail([segment_of(log, entries) for log, entries in packed.items()])
            sealed = self._around.sealer.seal(key, mail_info(device), text)
            if not await self._put(device, packed, sealed):
                return

    def _seal_key(self, device: DeviceId) -> bytes | None:
        for state in self._around.registry.teams():
            certificate = state.certificates.get(device)
            if certificate is not None:
                return certificate.seal_key
        return None

    def _places(self, device: DeviceId) -> list[tuple[ServerUrl, bytes]]:
        """The servers at which we may leave something for the device now, with its leave."""
        now = _now()
        self._rests = {url: until for url, until in self._rests.items() if until > now}
        found = [
            (url, self._grants.grant_of(device, url))
            for url in self._ready
            if url not in self._rests
        ]
        return [(url, grant) for url, grant in found if grant is not None]

    async def _put(
        self, device: DeviceId, packed: Mapping[LogKey, Sequence[Entry]], sealed: bytes
    ) -> bool:
        """Leave an envelope at the first server that takes it; whether one did."""
        for url, grant in self._places(device):
            state = self._servers.states().get(url)
            keep_s = min(KEEP_S, state.mail_s if state is not None else 0)
            try:
                async with asyncio.timeout(PUT_S):
                    promised_s = await self._servers.put(url, device, grant, sealed, keep_s)
            except (EnvironmentFault, TimeoutError) as error:
                await self._not_put(device, url, getattr(error, "code", "timed_out"))
                continue
            await self._kept(device, packed, url, min(promised_s, KEEP_S))
            return True
        return False

    async def _not_put(self, device: DeviceId, url: ServerUrl, code: str) -> None:
        _log.info("%s keeps nothing for %s: %s", url, device.hex()[:8], code)
        if code == "mail_refused":
            await self._grants.forget(device, url)
        elif code == "mail_full":
            self._plan({device}, FULL_REST_S)
        else:
            self._rests[url] = _now() + REST_S
            self._plan({device}, REST_S)

    async def _kept(
        self,
        device: DeviceId,
        packed: Mapping[LogKey, Sequence[Entry]],
        url: ServerUrl,
        kept_s: int,
    ) -> None:
        now_ms = self._around.clock.wall_ms()
        until_ms = now_ms + kept_s * 1000
        runs = [
            Run(log, entries[0].header.sequence, entries[-1].header.sequence, str(url), until_ms)
            for log, entries in packed.items()
        ]
        await self._record.note(device, runs, now_ms)
        for log, entries in packed.items():
            await self._tell(log.conversation, entries)

    async def _tell(self, conversation: ConversationId, entries: Sequence[Entry]) -> None:
        """Say of the newest messages among these that they wait now."""
        messages = [entry.id for entry in entries if entry.header.kind == Kind.MESSAGE]
        for message in messages[-MAX_TOLD:]:
            try:
                delivery = await self._around.store.delivery(message)
            except UserError:
                continue  # an entry without effect
            delivery = await self.with_sealed(message, delivery)
            on = len(delivery.stored_on)
            figures = ((message, on, on + len(delivery.missing)),)
            self._around.events.publish(DeliveryChanged(conversation, figures, delivery))


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    """Until the event is set, `timeout_s` at most, and a little more: sums of floats fall short."""
    try:
        async with asyncio.timeout(max(0.0, timeout_s) + 0.001):
            await event.wait()
    except TimeoutError:
        pass
