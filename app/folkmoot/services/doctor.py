"""The connection doctor: what was tried to reach each device of the teams, and what to do.

Works with no server at all. Owns the looks at typed ranges; everything else it takes from what the
dialler, discovery and the servers note. Refuses names of persons in its words, more than a few
addresses for each device, and to work longer than `CHECK_S`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from folkmoot.domain.ids import DeviceId
from folkmoot.services.attempts import Attempts
from folkmoot.services.call_values import RelayCheck
from folkmoot.services.clocks import Clocks
from folkmoot.services.links import Links
from folkmoot.services.peers import PeersService
from folkmoot.services.ports import Appended, Clock, Survey, Surveyor
from folkmoot.services.reachability import Reachability
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.rendezvous import RendezvousService
from folkmoot.services.reporting import Known, make_report
from folkmoot.services.scanning import Scans
from folkmoot.services.sightings import Sightings
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.surroundings import host_of
from folkmoot.services.targets import Target
from folkmoot.services.values import DoctorReport, ScanReport

CHECK_S = 15.0
MAX_AT_ONCE = 64
TURN_S = 0.25
"""Between the addresses of one device; who answers does it sooner."""
DIALLED_LOOK_S = 0.05
LIVE_AFTER_S = 30.0
"""A link that is older has brought what was written before; what comes now was written now."""
_ELSEWHERE = "192.0.2.1"
"""A documentation address (RFC 5737): the way to it is the way to everything far away."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What the doctor looks at."""

    version: str
    links: Links
    peers: PeersService
    attempts: Attempts
    sightings: Sightings
    reachability: Reachability
    registry: TeamRegistry
    servers: RendezvousService
    surveyor: Surveyor | None
    relay: Callable[[], RelayCheck | None] = lambda: None


class DoctorService:
    """`node.doctor`."""

    def __init__(self, patient: Patient, clock: Clock, supervisor: Supervisor) -> None:
        self._patient = patient
        self._clock = clock
        self._supervisor = supervisor
        self._clocks = Clocks()
        self._scans = Scans(patient.peers.attempt, patient.attempts, supervisor)

    async def report(self) -> DoctorReport:
        """What is known now."""
        patient = self._patient
        targets = [*patient.peers.targets()]
        hosts = {host_of(target.address) for target in targets}
        hosts |= {link.host.strip("[]") for link in patient.links.members()}
        survey = Survey((), {})
        if patient.surveyor is not None:
            survey = await patient.surveyor.survey([*sorted(hosts - {""}), _ELSEWHERE])
        return make_report(
            Known(
                at_ms=self._clock.wall_ms(),
                version=patient.version,
                survey=survey,
                elsewhere=_ELSEWHERE,
                listening=tuple(patient.reachability.listening),
                addresses=tuple(patient.reachability.addresses()),
                discovery=patient.reachability.discovery,
                records=[
                    sighting
                    for sighting in patient.sightings.now()
                    if patient.sightings.teams_of(sighting)
                ],
                servers=tuple(patient.servers.list()),
                server_codes={
                    str(url): state.code for url, state in patient.servers.states().items()
                },
                peers=patient.peers.list(),
                links={link.device: link for link in patient.links.members()},
                targets=targets,
                attempts=patient.attempts,
                registry=patient.registry,
                clocks=self._clocks,
                scans=self._scans.reports(),
                relay=patient.relay(),
            )
        )

    async def check(self) -> DoctorReport:
        """Try every way of everybody who is not reached, then report; 15 seconds at most."""
        free = asyncio.Semaphore(MAX_AT_ONCE)
        tasks = [
            self._supervisor.start(f"check {target.address}", self._try(target, delay_s, free))
            for target, delay_s in self._wanted()
        ]
        if tasks:
            await asyncio.wait(tasks, timeout=CHECK_S)
            for task in tasks:
                task.cancel()
        return await self.report()

    async def _try(self, target: Target, delay_s: float, free: asyncio.Semaphore) -> None:
        """One address, unless the device was reached meanwhile."""
        await asyncio.sleep(delay_s)
        async with free:
            while target.dialling:  # the dialler is at it  # noqa: ASYNC110 - it sets no event
                await asyncio.sleep(DIALLED_LOOK_S)
            if self._is_wanted(target):
                await self._patient.peers.attempt(target)

    def scan(self, text: str) -> ScanReport:
        """Look for computers of the teams at every address of a range, in the background.

        Raises `UserError` ``bad_range``, ``scanning`` (another is looked through now).
        """
        return self._scans.start(text)

    def note_commit(self, appended: Appended, source: DeviceId | None) -> None:
        """Called after each commit: the times in it tell of clocks."""
        if source is None:
            return
        link = self._patient.links.get(source)
        live = link is not None and asyncio.get_running_loop().time() - link.since > LIVE_AFTER_S
        now_ms = self._clock.wall_ms()
        own = [entry.header.wall_ms for entry in appended.entries if entry.header.device == source]
        if own:
            self._clocks.heard(source, max(own), now_ms, live=live)

    def _wanted(self) -> list[tuple[Target, float]]:
        """The addresses to try, and after how long: of each device one after the other.

        So the first that answers spares the others, and those that are silent cost no time.
        """
        turns: Counter[object] = Counter()
        found: list[tuple[Target, float]] = []
        for target in sorted(self._patient.peers.targets(), key=lambda each: each.backoff_s):
            if self._is_wanted(target):
                whose = target.device or target.group or target.address
                found.append((target, turns[whose] * TURN_S))
                turns[whose] += 1
        return found

    def _is_wanted(self, target: Target) -> bool:
        """Whether nobody is linked who is there; of who is linked a better way counts."""
        link = None if target.device is None else self._patient.links.get(target.device)
        return link is None or link.way.rank < target.way.rank
