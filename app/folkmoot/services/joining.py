"""Coming into a team: the side of who wants in, by invitation or by asking.

What was begun is kept in the local settings and tried again, also after a restart, until it is
done, refused or cancelled. Refuses to take a team's log from anybody before they have said that we
are let in. The other side is `services.admission`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass, field

from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError, UserError
from folkmoot.domain.ids import ZERO, ConversationId, DeviceId, PersonId
from folkmoot.domain.names import MAX_NOTE_LENGTH
from folkmoot.protocol import frames
from folkmoot.protocol.invites import InviteLink, invite_key, make_proof, read_link
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.words import sas_commitment, sas_words
from folkmoot.services.admission import AdmissionService
from folkmoot.services.events import AskAnswered, EventBus
from folkmoot.services.keyring import Keyring
from folkmoot.services.link import Link
from folkmoot.services.links import Knock, Links
from folkmoot.services.nearby import NearbyService
from folkmoot.services.ports import Appended, Randomness, Store
from folkmoot.services.publish import Publisher
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.rendezvous import RendezvousService
from folkmoot.services.sightings import Sightings
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import JoinOutcome, JoinRequest, Way

JOIN_S = 15.0
ANSWER_S = 5.0
TEAM_S = 10.0
RETRY_S = 5.0
MAX_RETRY_S = 60.0
MAX_PENDING = 20
MAX_WAYS = 32
MAX_MET = 4
"""At servers: so many more are tried whenever a try has failed or somebody appears."""
_JOIN, _ASK = "join.", "ask."

_log = logging.getLogger(__name__)
_REFUSALS = {
    "unknown_invitation": UserError(
        "wrong_invitation", "This invitation is not known in the team.", "Ask for a new one."
    ),
    "expired": UserError(
        "expired_invitation", "This invitation has expired.", "Ask for a new one."
    ),
    "used_up": UserError(
        "used_up", "This invitation has been used as often as it may be.", "Ask for a new one."
    ),
}


@dataclass(frozen=True, slots=True)
class Joiner:
    """What the joiner's side needs to know of this person."""

    keyring: Callable[[], Keyring]
    name: Callable[[], str]
    joined: Callable[[ConversationId], Awaitable[None]]
    """Called when we are in: opens the own log there."""


@dataclass(slots=True)
class _Pending:
    """One team we want to be in."""

    team: ConversationId
    name: str
    invite: InviteLink | None = None
    note: str = ""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    admitted: asyncio.Event = field(default_factory=asyncio.Event)
    link: Link | None = None
    answers: asyncio.Queue[frames.Asked | frames.Joined] = field(
        default_factory=lambda: asyncio.Queue(4)
    )
    task: asyncio.Task[None] | None = None
    refused: UserError | None = None

    def knock(self) -> Knock:
        """What is proved to those who can let us in."""
        assert self.invite is not None
        key = invite_key(Signer(self.invite.seed).public)
        return Knock(key, self.team, self.invite.invite)


class JoiningService:
    """Joins, asks, and passes on what `AdmissionService` offers to who may admit."""

    def __init__(
        self,
        joiner: Joiner,
        word_list: Sequence[str],
        admission: AdmissionService,
        links: Links,
        sightings: Sightings,
        nearby: NearbyService,
        addresses: Callable[[], Sequence[str]],
        servers: RendezvousService,
        store: Store,
        randomness: Randomness,
        registry: TeamRegistry,
        publisher: Publisher,
        events: EventBus,
        supervisor: Supervisor,
    ) -> None:
        """`addresses`: where anybody was ever reached, the likeliest first."""
        self._joiner = joiner
        self._word_list = word_list
        self._admission = admission
        self._links = links
        self._sightings = sightings
        self._nearby = nearby
        self._addresses = addresses
        self._servers = servers
        self._store = store
        self._randomness = randomness
        self._registry = registry
        self._events = events
        self._supervisor = supervisor
        self._pending: dict[ConversationId, _Pending] = {}
        links.watch(lambda _link: None, self._link_down)
        links.handle(frames.Asked, self._take_answer)
        links.handle(frames.Joined, self._take_answer)
        sightings.listen(lambda _sighting: self.somebody_appeared())
        servers.watch(self)
        publisher.listen(self._committed)

    async def start(self) -> None:
        """Go on with what was begun before the last stop."""
        for link in (await self._store.settings(_JOIN)).values():
            invite = read_link(link)
            if not self._is_member(invite.team):
                await self._servers.bring(invite.servers)
                self._begin(_Pending(invite.team, invite.team_name, invite=invite))
        for key, kept in (await self._store.settings(_ASK)).items():
            team = ConversationId(bytes.fromhex(key.removeprefix(_ASK)))
            if not self._is_member(team):
                said = json.loads(kept)
                self._begin(_Pending(team, said["name"], note=said["note"]))

    def expects(self, team: ConversationId) -> bool:
        """Whether somebody let us into this team and its log may come."""
        pending = self._pending.get(team)
        return pending is not None and pending.admitted.is_set()

    # --- what the window calls ---------------------------------------------------------------

    async def join(self, link: str) -> JoinOutcome:
        """Join by an invitation link, by all ways at once.

        Raises `UserError` ``wrong_invitation``, ``expired_invitation``, ``used_up``, or
        ``nobody_reachable``: then it is tried again by itself until `cancel`.
        """
        invite = read_link(link)
        if self._is_member(invite.team):
            return JoinOutcome(invite.team, invite.team_name, "joined")
        old = self._pending.get(invite.team)
        if old is not None:
            await self._forget(old)
        self._make_room()
        await self._store.set_setting(_JOIN + invite.team.hex(), link.strip())
        await self._servers.bring(invite.servers)
        pending = _Pending(invite.team, invite.team_name, invite=invite)
        task = self._begin(pending)
        await asyncio.wait([task], timeout=JOIN_S)
        if pending.refused is not None:
            raise pending.refused
        if self._is_member(invite.team):
            return JoinOutcome(invite.team, invite.team_name, "joined")
        if pending.admitted.is_set():
            return JoinOutcome(invite.team, invite.team_name, "pending")
        raise UserError(
            "nobody_reachable",
            f"Nobody of {invite.team_name} can be reached now.",
            "It is tried again by itself as soon as somebody appears.",
        )

    async def ask(self, team: ConversationId, note: str = "") -> None:
        """Ask to be let into a team that is shown nearby; the answer comes as `AskAnswered`.

        Raises `UserError` ``not_found``, ``nobody_to_admit``, ``bad_text``, ``declined``.
        """
        if self._is_member(team) or team in self._pending:
            return
        note = " ".join(note.split())
        if len(note) > MAX_NOTE_LENGTH:
            raise UserError("bad_text", f"A note has at most {MAX_NOTE_LENGTH} characters.")
        hosts = self._nearby.hosts(team)
        if not hosts:
            raise UserError("not_found", "This team is not seen nearby any more.")
        if not any(host.row.may_admit for host in hosts):
            raise UserError(
                "nobody_to_admit",
                "Nobody who may let you in is online.",
                "Try again when an admin of the team is there, or ask for an invitation.",
            )
        self._make_room()
        name = hosts[0].row.name
        kept = json.dumps({"name": name, "note": note})
        await self._store.set_setting(_ASK + team.hex(), kept)
        self._begin(_Pending(team, name, note=note))
        self._nearby.mark(team, ())

    async def cancel(self, team: ConversationId) -> None:
        """Give up a request or a pending invitation; again is harmless."""
        pending = self._pending.get(team)
        if pending is not None:
            await self._forget(pending)
            if pending.link is not None:
                pending.link.kept = False
                pending.link.close("cancelled", "The request was taken back.")

    def requests(self) -> list[JoinRequest]:
        """Who waits to be let in by this person."""
        return self._admission.requests()

    async def admit(self, team: ConversationId, person: PersonId) -> None:
        """Let somebody in who asked."""
        await self._admission.admit(team, person)

    async def decline(self, team: ConversationId, person: PersonId, block: bool = False) -> None:
        """Turn somebody down."""
        await self._admission.decline(team, person, block)

    def somebody_appeared(self) -> None:
        """Try again now: there is a new way to somebody."""
        for pending in self._pending.values():
            pending.wake.set()

    def met(self, _address: str, _device: DeviceId, knock: Knock) -> None:
        """Somebody is at a server (`rendezvous.Meets`)."""
        for pending in self._pending.values():
            if pending.invite is not None and pending.invite.invite == knock.invite:
                pending.wake.set()

    def left(self, _address: str, _device: DeviceId) -> None:
        """Somebody is no longer at a server: nothing to do."""

    # --- trying ------------------------------------------------------------------------------

    def _begin(self, pending: _Pending) -> asyncio.Task[None]:
        self._pending[pending.team] = pending
        self._meet()
        what = self._join_on(pending) if pending.invite is not None else self._ask_on(pending)
        pending.task = self._supervisor.start(f"join {pending.team.hex()[:8]}", what)
        return pending.task

    async def _join_on(self, pending: _Pending) -> None:
        wait_s = RETRY_S
        while pending.refused is None and not self._is_member(pending.team):
            pending.wake.clear()
            link = await self._first_way(pending)
            if link is not None:
                await self._present(pending, link)
            if pending.refused is None and not self._is_member(pending.team):
                await _wait(pending.wake, wait_s * self._randomness.uniform(0.8, 1.2))
                wait_s = min(MAX_RETRY_S, 2 * wait_s)
        await self._finish(pending)

    def _meet(self) -> None:
        """Be at servers by the invitations that are tried now."""
        waiting = [one for one in self._pending.values() if one.invite is not None]
        self._servers.join_by([one.knock() for one in waiting])

    async def _first_way(self, pending: _Pending) -> Link | None:
        """A link to any member, by all ways at once; the first that answers.

        Who appears at a server meanwhile is tried too.
        """
        knock, tried, found = pending.knock(), set[str](), None
        waiting: list[asyncio.Task[Link | None]] = []
        while found is None:
            pending.wake.clear()
            new = [way for way in self._ways(pending, tried) if way not in tried]
            for way in new[: max(0, MAX_WAYS - len(waiting))]:
                tried.add(way)
                task = self._supervisor.start(f"join by {way}", self._try_way(way, knock))
                waiting.append(task)
            if not waiting:
                return None
            woken = self._supervisor.start("somebody appeared", pending.wake.wait())
            done, _ = await asyncio.wait([*waiting, woken], return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
            ended = [task for task in waiting if task in done]
            links = [task.result() for task in ended if not task.cancelled()]
            waiting = [task for task in waiting if task not in done]
            found = next((link for link in links if link is not None), None)
        for task in waiting:
            task.cancel()
        return found

    def _ways(self, pending: _Pending, tried: Container[str]) -> Sequence[str]:
        """Where somebody may be, the likeliest first; of all who are at servers a few more."""
        assert pending.invite is not None
        invite = pending.invite
        seen = [a for sighting in self._sightings.now() for a in sighting.addresses[:2]]
        met = [one for one in self._servers.at(invite.invite) if one not in tried][:MAX_MET]
        ways = dict.fromkeys([*invite.computers, *met, *self._addresses(), *seen])
        return list(ways)[:MAX_WAYS]

    async def _try_way(self, address: str, knock: Knock) -> Link | None:
        try:
            return await self._links.dial(address, knock, way=Way.DIRECT)
        except FolkmootError as error:
            _log.info("no way in by %s: %s (%s)", address, error.message, error.code)
            return None

    async def _present(self, pending: _Pending, link: Link) -> None:
        """Show the invitation on a link and wait for the answer and for the team."""
        assert pending.invite is not None
        invite = pending.invite
        link.kept, pending.link = True, link
        signed = self._joiner.keyring().signed
        proof = make_proof(invite.seed, invite.team, invite.invite, signed)
        link.send(frames.Join(invite.team, invite.invite, self._joiner.name(), proof))
        answer = await self._answer(pending, ANSWER_S)
        if not isinstance(answer, frames.Joined):
            link.close("no_answer", "The invitation was not answered.")
        elif answer.code in ("ok", "already"):
            await self._enter(pending, link)
        else:
            pending.refused = _REFUSALS.get(answer.code, _REFUSALS["unknown_invitation"])
            link.close("done", "That was all.")

    async def _enter(self, pending: _Pending, link: Link) -> None:
        """We are let in: take the team's log on this link and open our own."""
        pending.admitted.set()
        link.team = pending.team
        self._links.promote(link)
        try:
            async with asyncio.timeout(TEAM_S):
                while not self._is_member(pending.team):
                    pending.wake.clear()
                    await pending.wake.wait()
        except TimeoutError:
            return

    async def _ask_on(self, pending: _Pending) -> None:
        wait_s = RETRY_S
        while pending.refused is None and not self._is_member(pending.team):
            pending.wake.clear()
            await self._ask_once(pending)
            if pending.refused is None and not self._is_member(pending.team):
                self._nearby.look()
                await _wait(pending.wake, wait_s * self._randomness.uniform(0.8, 1.2))
                wait_s = min(MAX_RETRY_S, 2 * wait_s)
        state = "declined" if pending.refused is not None else "admitted"
        await self._finish(pending)
        self._events.publish(AskAnswered(pending.team, pending.name, state))

    async def _ask_once(self, pending: _Pending) -> None:
        """Ask one computer and wait for its answer as long as the link lives."""
        link = await self._link_to_host(pending.team)
        if link is None:
            return
        link.kept, pending.link = True, link
        n1 = self._randomness.bytes(32)
        link.send(frames.Ask(pending.team, self._joiner.name(), pending.note, sas_commitment(n1)))
        answer = await self._answer(pending, ANSWER_S)
        if isinstance(answer, frames.Asked) and answer.state == "waiting" and answer.n2 != ZERO:
            link.send(frames.Reveal(pending.team, n1))
            self._nearby.mark(pending.team, self._words(link, n1, answer.n2))
            answer = await self._answer(pending, None)
        if not isinstance(answer, frames.Asked):
            return
        if answer.state == "admitted":
            await self._enter(pending, link)
        elif answer.state == "declined":
            pending.refused = UserError("declined", "Your request was declined.")

    def _words(self, link: Link, n1: bytes, n2: bytes) -> tuple[str, ...]:
        me = self._joiner.keyring().person
        dialler, listener = (me, link.person) if link.dialled else (link.person, me)
        return sas_words(link.transcript, dialler, listener, n1, n2, self._word_list)

    async def _link_to_host(self, team: ConversationId) -> Link | None:
        for host in self._nearby.hosts(team):
            if not host.row.may_admit:
                break
            link = self._links.get(host.device)
            if link is not None:
                return link
            expected: DeviceId = host.device
            try:
                return await self._links.dial(
                    host.address, None, expected=expected, stranger=True, way=Way.LAN
                )
            except (EnvironmentFault, PeerError) as error:
                _log.info("%s cannot be asked: %s", host.address, error)
        return None

    # --- answers -----------------------------------------------------------------------------

    async def _take_answer(self, link: Link, frame: frames.Asked | frames.Joined) -> None:
        pending = self._pending.get(frame.team)
        if pending is None or pending.link is not link or pending.answers.full():
            return
        if isinstance(frame, frames.Joined):
            admitted = frame.code in ("ok", "already")
        else:
            admitted = frame.state == "admitted"
        if admitted:
            # Before the next frame is read: it may be the first of a member.
            pending.admitted.set()
            link.team = frame.team
            self._links.promote(link)
        pending.answers.put_nowait(frame)

    async def _answer(
        self, pending: _Pending, timeout_s: float | None
    ) -> frames.Asked | frames.Joined | None:
        """The next answer on the link of this request; None when it is late or the link gone."""
        assert pending.link is not None
        if pending.link.closed and pending.answers.empty():
            return None
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    getting = self._supervisor.start("answer", pending.answers.get())
                    gone = self._supervisor.start("link-gone", pending.wake.wait())
                    await asyncio.wait([getting, gone], return_when=asyncio.FIRST_COMPLETED)
                    gone.cancel()
                    if getting.done():
                        return getting.result()
                    getting.cancel()
                    pending.wake.clear()
                    if pending.link.closed:
                        return None
        except TimeoutError:
            return None

    def _link_down(self, link: Link) -> None:
        for pending in self._pending.values():
            if pending.link is link:
                pending.wake.set()

    def _committed(self, appended: Appended, _source: DeviceId | None) -> None:
        for team in appended.teams:
            if team in self._pending:
                self._pending[team].wake.set()

    # --- the end -----------------------------------------------------------------------------

    async def _finish(self, pending: _Pending) -> None:
        if pending.link is not None:
            pending.link.kept = False
        if self._is_member(pending.team):
            await self._joiner.joined(pending.team)
        await self._erase(pending)

    async def _forget(self, pending: _Pending) -> None:
        if pending.task is not None:
            pending.task.cancel()
        await self._erase(pending)

    async def _erase(self, pending: _Pending) -> None:
        if self._pending.get(pending.team) is pending:
            del self._pending[pending.team]
            self._meet()
        for prefix in (_JOIN, _ASK):
            await self._store.set_setting(prefix + pending.team.hex(), None)
        self._nearby.mark(pending.team, None)

    def _is_member(self, team: ConversationId) -> bool:
        state = self._registry.team(team)
        return state is not None and self._joiner.keyring().person in state.members

    def _make_room(self) -> None:
        if len(self._pending) >= MAX_PENDING:
            raise UserError(
                "too_many_pending",
                "You are already waiting to be let into many teams.",
                "Cancel one of them first.",
            )


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    """Until the event is set, `timeout_s` at most."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        pass
