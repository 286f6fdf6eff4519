"""Signaling servers of this person: which there are, and who is met through them.

Owns the list of servers, the tags under which this node is at each of them, and who is there. Who
is met is told to the dialler; envelopes go to whoever asked for them. Refuses to believe a server:
a device under a tag is a hint where it may be reached, and its link proves who it is.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from folkmoot.domain.errors import EnvironmentFault, UserError
from folkmoot.domain.ids import DeviceId, EntryId, PersonId
from folkmoot.domain.servers import MAX_SERVERS, ServerUrl, parse_server, relay_address
from folkmoot.protocol.signaling import MAX_ROOM_DEVICES, MAX_TAGS, rendezvous_tag
from folkmoot.services.events import EventBus, ServersChanged
from folkmoot.services.links import Knock
from folkmoot.services.meeting_keys import keys_to_meet
from folkmoot.services.ports import Clock, Store
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.signaling_port import ServerState, Signaling
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import Server, ServerPhase

SETTING = "signaling.servers"
NOTICE = "servers_away"
TELL_S = 0.1
"""Changes are gathered for so long before they are told."""
LOOK_S = 60.0
"""How often it is looked whether an invitation has expired."""

_log = logging.getLogger(__name__)
Notice = Callable[[str, str, str], None]
TakeMail = Callable[[ServerUrl, bytes, bytes], None]


class Meets(Protocol):
    """Is told who is at a server."""

    def met(self, address: str, device: DeviceId, knock: Knock) -> None:
        """A device is at `address`, it says, and knows the key of `knock`."""
        ...

    def left(self, address: str, device: DeviceId) -> None:
        """It is there no more."""
        ...


@dataclass(slots=True)
class _Place:
    """One server. `kept`: it is in the settings; otherwise it holds for this run."""

    url: ServerUrl
    typed: bool
    kept: bool
    rooms: dict[bytes, Knock] = field(default_factory=dict)
    here: dict[bytes, dict[DeviceId, None]] = field(default_factory=dict)
    failed: bool = False

    def devices(self) -> set[DeviceId]:
        """Everybody under a tag of a team."""
        return {
            device
            for tag, devices in self.here.items()
            if self.rooms[tag].invite is None
            for device in devices
        }

    def is_here(self, device: DeviceId) -> bool:
        """Whether a device is under any tag."""
        return any(device in devices for devices in self.here.values())


class RendezvousService:
    """`node.servers`."""

    def __init__(
        self,
        me: PersonId,
        device: Callable[[], DeviceId],
        signaling: Signaling | None,
        store: Store,
        clock: Clock,
        registry: TeamRegistry,
        events: EventBus,
        supervisor: Supervisor,
        notice: Notice,
    ) -> None:
        """Without `signaling` servers are kept, but never connected to."""
        self._me = me
        self._device = device
        self._signaling = signaling
        self._store = store
        self._clock = clock
        self._registry = registry
        self._events = events
        self._supervisor = supervisor
        self._notice = notice
        self._places: dict[ServerUrl, _Place] = {}
        self._joining: tuple[Knock, ...] = ()
        self._meets: list[Meets] = []
        self._take_mail: list[TakeMail] = []
        self._told: tuple[Server, ...] = ()
        self._telling = False
        if signaling is not None:
            signaling.attach(self)

    async def start(self, urls: Sequence[str] = ()) -> None:
        """Connect to what is kept and, for this run, to `urls`. Raises `UserError` for these."""
        for url, typed in _read_kept(await self._store.setting(SETTING)):
            if len(self._places) < MAX_SERVERS:
                self._open(url, typed=typed, kept=True)
        for text in urls:
            if len(self._places) < MAX_SERVERS:
                self._open(parse_server(text), typed=False, kept=False)
            else:
                _log.warning("%s is not used: there are %d servers already", text, MAX_SERVERS)
        self._supervisor.start("rendezvous", self._keep_looking())

    async def aclose(self) -> None:
        """Leave every server."""
        if self._signaling is not None:
            await self._signaling.aclose()

    # --- what people do ----------------------------------------------------------------------

    def list(self) -> Sequence[Server]:
        """Every server, in the order they were added."""
        return [self._shown(place) for place in self._places.values()]

    async def add(self, url: str) -> Server:
        """Keep a server and connect. Raises `UserError` ``bad_server``, ``too_many_servers``."""
        parsed = parse_server(url)
        if parsed not in self._places and len(self._places) >= MAX_SERVERS:
            raise UserError(
                "too_many_servers",
                f"There are {MAX_SERVERS} servers already, and no more are used.",
                "Remove one that you do not need.",
            )
        place = self._open(parsed, typed=True, kept=True)
        place.typed = place.kept = True
        await self._save()
        self._changed()
        return self._shown(place)

    async def remove(self, url: str) -> None:
        """Forget a server. Raises `UserError` ``bad_server``, ``not_found``."""
        place = self._places.pop(parse_server(url), None)
        if place is None:
            raise UserError("not_found", "This server is not in the list.")
        if self._signaling is not None:
            self._signaling.remove(place.url)
        self._forget(place, list(place.here))
        await self._save()
        self._changed()

    # --- invitations -------------------------------------------------------------------------

    def urls(self) -> Sequence[str]:
        """The addresses that go into an invitation made here."""
        return [str(url) for url in self._places]

    async def bring(self, urls: Sequence[str]) -> None:
        """Keep the servers that an invitation carries, as far as there is room."""
        for text in urls:
            try:
                parsed = parse_server(text)
            except UserError as error:
                _log.info("an invitation carries no server: %s", error)
                continue
            if parsed not in self._places and len(self._places) < MAX_SERVERS:
                self._open(parsed, typed=False, kept=True)
        await self._save()
        self._changed()

    def join_by(self, knocks: Sequence[Knock]) -> None:
        """With which invitations this person wants to be let in now, instead of those before."""
        self._joining = tuple(knocks)
        self.teams_changed()

    def at(self, invite: EntryId) -> Sequence[str]:
        """Where somebody is who may let us in by an invitation."""
        return [
            relay_address(place.url, device)
            for place in self._places.values()
            for tag, knock in place.rooms.items()
            if knock.invite == invite
            for device in place.here.get(tag, ())
        ]

    # --- what others of the node need --------------------------------------------------------

    def watch(self, meets: Meets) -> None:
        """Be told who is met from now on."""
        self._meets.append(meets)

    def teams_changed(self) -> None:
        """Teams, their secrets or invitations changed: be under the tags that fit."""
        knocks = keys_to_meet(self._registry.teams(), self._me, self._clock.wall_ms())
        for place in self._places.values():
            self._enter(place, [*self._joining, *knocks])

    def network_changed(self) -> None:
        """Servers may be reached now that were not, or be out of reach."""
        if self._signaling is not None:
            self._signaling.wake()

    def states(self) -> dict[ServerUrl, ServerState]:
        """How each server stands, with what it offers."""
        return {url: self._state(url) for url in self._places}

    def stun(self) -> Sequence[str]:
        """Where it can be asked how this computer looks from outside: ``host:port``."""
        return [state.stun for state in self.states().values() if state.stun]

    def is_there(self, device: DeviceId) -> bool:
        """Whether a device is under a tag with us at a server now."""
        return any(place.is_here(device) for place in self._places.values())

    def on_mail(self, take: TakeMail) -> None:
        """`take` gets (server, id, sealed) of every envelope that comes; see `taken`."""
        self._take_mail.append(take)

    async def put(
        self, url: ServerUrl, recipient: DeviceId, grant: bytes, sealed: bytes, keep_s: int
    ) -> int:
        """Leave an envelope; for how many seconds it is kept. Raises as `Signaling.put`."""
        if self._signaling is None or url not in self._places:
            raise EnvironmentFault("not_connected", "This server is not connected.")
        return await self._signaling.put(url, recipient, grant, sealed, keep_s)

    def taken(self, url: ServerUrl, ids: Sequence[bytes]) -> None:
        """These envelopes are stored durably: the server may forget them."""
        if self._signaling is not None and url in self._places:
            self._signaling.taken(url, ids)

    # --- what servers tell (`ServerListener`) ------------------------------------------------

    def state_changed(self, url: ServerUrl, state: ServerState) -> None:
        """It is reached, lost, or gave new credentials."""
        place = self._places.get(url)
        if place is None:
            return
        if state.phase is ServerPhase.READY:
            place.failed = False
        elif state.phase is ServerPhase.WAITING:
            place.failed = True
        self._changed()

    def came(self, url: ServerUrl, tag: bytes, device: DeviceId) -> None:
        """A device is under a tag, now or already."""
        place = self._places.get(url)
        if place is None or tag not in place.rooms or device == self._device():
            return
        here = place.here.setdefault(tag, {})
        if device not in here and len(here) >= MAX_ROOM_DEVICES:
            return
        here[device] = None
        knock = place.rooms[tag]
        if knock.invite is None:
            knock = next(
                one
                for other, one in place.rooms.items()
                if one.invite is None and device in place.here.get(other, ())
            )
        for meets in self._meets:
            meets.met(relay_address(url, device), device, knock)
        self._changed()

    def went(self, url: ServerUrl, tag: bytes, device: DeviceId) -> None:
        """A device is under a tag no more."""
        place = self._places.get(url)
        if place is not None and device in place.here.get(tag, ()):
            del place.here[tag][device]
            self._gone(place, [device])

    def mail(self, url: ServerUrl, id: bytes, sealed: bytes) -> None:
        """An envelope came; it comes again until it is taken."""
        for take in self._take_mail:
            take(url, id, sealed)

    # --- inside ------------------------------------------------------------------------------

    def _open(self, url: ServerUrl, *, typed: bool, kept: bool) -> _Place:
        place = self._places.get(url)
        if place is None:
            place = self._places[url] = _Place(url, typed, kept)
            if self._signaling is not None:
                self._signaling.add(url)
            self.teams_changed()
        return place

    def _enter(self, place: _Place, knocks: Sequence[Knock]) -> None:
        origin = str(place.url)
        rooms: dict[bytes, Knock] = {}
        for knock in knocks:
            if len(rooms) < MAX_TAGS:
                rooms.setdefault(rendezvous_tag(knock.key, origin), knock)
        if list(rooms) == list(place.rooms):
            return
        left = [tag for tag in place.here if tag not in rooms]
        before, place.rooms = place.rooms.keys(), rooms
        self._forget(place, left)
        if self._signaling is not None and before != rooms.keys():
            self._signaling.enter(place.url, list(rooms))

    def _forget(self, place: _Place, tags: Sequence[bytes]) -> None:
        """We are under these tags no more."""
        devices = [device for tag in tags for device in place.here.pop(tag, ())]
        self._gone(place, devices)

    def _gone(self, place: _Place, devices: Sequence[DeviceId]) -> None:
        for device in devices:
            if not place.is_here(device):
                for meets in self._meets:
                    meets.left(relay_address(place.url, device), device)
        self._changed()

    async def _save(self) -> None:
        kept = [place for place in self._places.values() if place.kept]
        rows = [{"url": str(place.url), "typed": place.typed} for place in kept]
        await self._store.set_setting(SETTING, json.dumps(rows) if rows else None)

    def _state(self, url: ServerUrl) -> ServerState:
        if self._signaling is None:
            return ServerState(ServerPhase.OFF)
        return self._signaling.state(url)

    def _shown(self, place: _Place) -> Server:
        state = self._state(place.url)
        people = sum(self._registry.person_of(one) is not None for one in place.devices())
        return Server(
            url=str(place.url),
            phase=state.phase,
            words=state.words,
            hint=state.hint,
            rtt_ms=state.rtt_ms,
            people=people,
            mail_s=state.mail_s,
            turn=state.turn is not None,
            typed=place.typed,
        )

    def _changed(self) -> None:
        self._say()
        if not self._telling:
            self._telling = True
            self._supervisor.start("tell servers", self._tell_soon())

    async def _tell_soon(self) -> None:
        await asyncio.sleep(TELL_S)
        self._telling = False
        shown = tuple(self.list())
        if shown != self._told:
            self._told = shown
            self._events.publish(ServersChanged(shown))

    def _say(self) -> None:
        """The notice that fits: it holds while no server is reached."""
        places = list(self._places.values())
        if not places or not all(place.failed for place in places):
            self._notice(NOTICE, "", "")
            return
        hint = "Direct links go on; everybody else is met again as soon as it answers."
        words = f"Your server {places[0].url.place.host} cannot be reached."
        if len(places) > 1:
            words = f"None of your {len(places)} servers can be reached."
            hint = "Direct links go on; everybody else is met again as soon as one answers."
        self._notice(NOTICE, words, hint)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.teams_changed()


def _read_kept(setting: str | None) -> list[tuple[ServerUrl, bool]]:
    """(server, typed) of each in the setting. What cannot be read is logged and left out: a node
    that does not start for it could not even be told of other servers."""
    try:
        rows = json.loads(setting or "[]")
    except ValueError:
        rows = None
    if not isinstance(rows, list):
        _log.warning("the list of servers cannot be read, and is empty now")
        return []
    found = []
    for row in rows:
        try:
            found.append((parse_server(row["url"]), bool(row.get("typed"))))
        except (UserError, LookupError, TypeError, AttributeError):
            _log.warning("a server in the list cannot be read, and is left out: %.100r", row)
    return found
