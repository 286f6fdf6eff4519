"""Which teams on this network let themselves be seen, and the answer to others who look.

Strangers are dialled only while somebody looks, each at most once a minute. Names are told inside
an encrypted link only, of visible teams only, and at a bounded rate. Refuses to answer for teams
whose members chose not to be seen, and to ask or tell who is linked through a server or address
translation: they are on another network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from folkmoot.domain.errors import FolkmootError, PeerError
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.domain.team import Act
from folkmoot.protocol import frames
from folkmoot.services.events import EventBus, NearbyChanged
from folkmoot.services.link import Link
from folkmoot.services.links import Links
from folkmoot.services.pace import Bucket, Buckets
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.sightings import Sightings
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import NearbyTeam, Way

LEASE_S = 30.0
ROUND_S = 2.0
AGAIN_S = 60.0
FORGET_S = 150.0
MAX_DIALS = 16
MAX_ADDRESSES = 4
MAX_ANSWERS = 512
ANSWERS_PER_S, ANSWERS_BURST = 20.0, 60.0
PER_ADDRESS_PER_S, PER_ADDRESS_BURST = 0.5, 5.0


@dataclass(frozen=True, slots=True)
class Host:
    """A computer that said it is in a visible team. `address` is where it listens."""

    device: DeviceId
    address: str
    row: frames.TeamRow
    at: float


class NearbyService:
    """Looks around, and lets others look."""

    def __init__(
        self,
        me: PersonId,
        links: Links,
        sightings: Sightings,
        typed: Callable[[], Sequence[str]],
        registry: TeamRegistry,
        events: EventBus,
        supervisor: Supervisor,
    ) -> None:
        """`typed`: addresses to ask besides those seen."""
        self._me = me
        self._links = links
        self._sightings = sightings
        self._typed = typed
        self._registry = registry
        self._events = events
        self._supervisor = supervisor
        self._looking = False
        self._until = 0.0
        self._wake = asyncio.Event()
        self._asked_at: dict[str, float] = {}
        self._dialling = 0
        self._hosts: dict[tuple[ConversationId, DeviceId], Host] = {}
        self._told: tuple[NearbyTeam, ...] = ()
        self._marks: dict[ConversationId, tuple[str, ...]] = {}
        self._answers: Bucket | None = None
        self._per_address = Buckets(PER_ADDRESS_PER_S, PER_ADDRESS_BURST)
        links.handle(frames.TeamsWanted, self._take_wanted)
        links.handle(frames.Teams, self._take_teams)
        sightings.listen(lambda _sighting: self._wake.set())

    # --- looking -----------------------------------------------------------------------------

    def begin(self) -> None:
        """Called once when the node starts."""
        self._supervisor.start("nearby", self._look_on())

    def start(self) -> None:
        """Look until `stop`."""
        self._looking = True
        self._asked_at.clear()
        self._wake.set()

    def stop(self) -> None:
        """Look no more."""
        self._looking = False

    def look(self) -> None:
        """Look for the next half minute."""
        self._until = _now() + LEASE_S
        self._wake.set()

    def teams(self) -> list[NearbyTeam]:
        """Teams of others that are seen now, by name."""
        return list(self._shown())

    def hosts(self, team: ConversationId) -> list[Host]:
        """Computers of a team that were seen, those that may admit first."""
        hosts = [host for (id, _device), host in self._hosts.items() if id == team]
        return sorted(hosts, key=lambda host: (not host.row.may_admit, -host.at))

    def mark(self, team: ConversationId, words: tuple[str, ...] | None) -> None:
        """Our request waits there, with these words; None: it no longer does."""
        if words is None:
            self._marks.pop(team, None)
        else:
            self._marks[team] = words
        self._tell()

    async def _look_on(self) -> None:
        while True:
            if not (self._looking or self._until > _now()):
                self._wake.clear()
                await self._wake.wait()
                continue
            self._ask_members()
            for addresses in self._places():
                self._dialling += 1
                self._supervisor.start(f"look {addresses[0]}", self._ask(addresses))
            self._tell()
            self._wake.clear()
            try:
                async with asyncio.timeout(ROUND_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _due(self, key: str) -> bool:
        now = _now()
        if now - self._asked_at.get(key, -AGAIN_S) < AGAIN_S:
            return False
        if len(self._asked_at) >= MAX_ANSWERS:
            self._asked_at = {k: at for k, at in self._asked_at.items() if now - at < AGAIN_S}
        self._asked_at[key] = now
        return len(self._asked_at) <= 2 * MAX_ANSWERS

    def _ask_members(self) -> None:
        for link in self._links.members():
            if _is_near(link) and self._due(link.device.hex()):
                link.send(frames.TeamsWanted())

    def _places(self) -> list[Sequence[str]]:
        """Where to ask now: records that are not of our own teams, and what was typed."""
        found: list[Sequence[str]] = []
        for address in self._typed():
            if self._dialling + len(found) < MAX_DIALS and self._due(address):
                found.append((address,))
        for sighting in self._sightings.now():
            if not sighting.addresses or self._sightings.teams_of(sighting):
                continue
            if self._dialling + len(found) < MAX_DIALS and self._due(sighting.instance):
                found.append(sighting.addresses[:MAX_ADDRESSES])
        return found

    async def _ask(self, addresses: Sequence[str]) -> None:
        """Ask whoever answers first at one of the addresses of one computer."""
        try:
            for address in addresses:
                try:
                    link = await self._links.dial(address, None, stranger=True, way=Way.LAN)
                except FolkmootError:
                    continue
                link.send(frames.TeamsWanted())
                return
        finally:
            self._dialling -= 1

    async def _take_teams(self, link: Link, frame: frames.Teams) -> None:
        if not link.dialled and not link.is_member:
            raise PeerError("not_asked", "Names of teams that nobody asked for.")
        now = _now()
        for row in frame.rows:
            if len(self._hosts) < MAX_ANSWERS:
                self._hosts[row.team, link.device] = Host(link.device, link.remote, row, now)
        if not link.is_member and not link.kept:
            link.close("done", "That was all.")
        self._tell()

    def _shown(self) -> tuple[NearbyTeam, ...]:
        now = _now()
        self._hosts = {k: host for k, host in self._hosts.items() if now - host.at < FORGET_S}
        mine = {state.id for state in self._registry.teams()}
        teams: dict[ConversationId, NearbyTeam] = {}
        for (id, _device), host in self._hosts.items():
            if id in mine:
                continue
            online = max(host.row.computers_online, 1)
            team = teams.get(id) or NearbyTeam(
                id, host.row.name, online, id in self._marks, self._marks.get(id, ())
            )
            if team.computers_online < online:
                team = replace(team, computers_online=online)
            teams[id] = team
        return tuple(sorted(teams.values(), key=lambda team: (team.name.casefold(), team.id)))

    def _tell(self) -> None:
        shown = self._shown()
        if shown != self._told:
            self._told = shown
            self._events.publish(NearbyChanged(shown))

    # --- letting others look -----------------------------------------------------------------

    async def _take_wanted(self, link: Link, _frame: frames.TeamsWanted) -> None:
        now = _now()
        if self._answers is None:
            self._answers = Bucket(ANSWERS_PER_S, ANSWERS_BURST, now)
        host = link.host
        if not self._per_address.take(host, now) or not self._answers.take(now):
            if not link.is_member:
                link.close("too_often", "Names are not told that often.")
            return
        rows = [
            frames.TeamRow(state.id, state.name, self._online(state.id), may_admit)
            for state in self._registry.teams()
            if state.visible and state.name and _is_near(link)
            for may_admit in [state.may(self._me, Act.GRANT)]
        ]
        link.send(frames.Teams(tuple(rows[: frames.MAX_TEAMS])))

    def _online(self, team: ConversationId) -> int:
        state = self._registry.team(team)
        members = state.members if state is not None else {}
        return 1 + sum(link.person in members for link in self._links.members())


def _is_near(link: Link) -> bool:
    """Whether it may be a computer of this network."""
    return link.way not in (Way.NAT, Way.RELAY)


def _now() -> float:
    return asyncio.get_running_loop().time()
