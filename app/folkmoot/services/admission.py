"""Letting people in: the side of a member of the team.

Answers who joins by invitation (any member may admit) and keeps the requests of those who ask (an
admin decides). Expiry and number of uses are judged here, once; the entry that admits is the fact.
Refuses more than `MAX_REQUESTS` requests, more than a few of one address, a second one of the same
person, and the blocked.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.domain.bodies import Admit, Grant, Level
from folkmoot.domain.errors import PeerError, UserError
from folkmoot.domain.ids import ZERO, ConversationId, PersonId
from folkmoot.domain.serve import judge_invite
from folkmoot.domain.team import Act, TeamState
from folkmoot.protocol import frames
from folkmoot.protocol.invites import check_proof
from folkmoot.protocol.words import sas_commitment, sas_words
from folkmoot.services.events import EventBus, JoinRequestsChanged
from folkmoot.services.link import Link
from folkmoot.services.links import Links
from folkmoot.services.own_log import OwnLog, by
from folkmoot.services.pace import Buckets
from folkmoot.services.ports import Clock, Randomness, Store
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.values import JoinRequest

MAX_REQUESTS = 20
MAX_REQUESTS_PER_ADDRESS = 5
REQUEST_LIFE_S = 600.0
"""How long a request outlives its link."""
REVEAL_S = 15.0
"""A request that shows no random bytes in this time gives its place back: nobody can see it."""
MAX_BLOCKED = 1000
ASKS_PER_S, ASKS_BURST = 0.2, 10.0
_BLOCKED = "blocked"
_ANSWERS = {
    "ok": "Welcome.",
    "already": "You are in this team.",
    "unknown_invitation": "Nobody here knows this invitation.",
    "expired": "The invitation has expired.",
    "used_up": "The invitation has been used as often as it may.",
}


@dataclass(slots=True)
class _Request:
    """One person who asks. `words` are empty until the other side has shown its random bytes."""

    team: ConversationId
    person: PersonId
    link: Link
    name: str
    note: str
    commitment: bytes
    n2: bytes
    asked_at_ms: int
    began_at: float
    words: tuple[str, ...] = ()
    gone_at: float | None = None

    def is_over(self, now: float) -> bool:
        """Whether it gives its place back."""
        if self.gone_at is not None and now - self.gone_at > REQUEST_LIFE_S:
            return True
        return not self.words and now - self.began_at > REVEAL_S


class AdmissionService:
    """Requests to this node and the answers to invitations."""

    def __init__(
        self,
        me: PersonId,
        word_list: Sequence[str],
        links: Links,
        store: Store,
        clock: Clock,
        randomness: Randomness,
        registry: TeamRegistry,
        own_log: OwnLog,
        events: EventBus,
    ) -> None:
        self._me = me
        self._word_list = word_list
        self._links = links
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._registry = registry
        self._own_log = own_log
        self._events = events
        self._requests: dict[tuple[ConversationId, PersonId], _Request] = {}
        self._blocked: set[PersonId] = set()
        self._pace = Buckets(ASKS_PER_S, ASKS_BURST)
        self._one_at_a_time = asyncio.Lock()
        links.watch(lambda _link: None, self._link_down)
        links.handle(frames.Join, self._take_join)
        links.handle(frames.Ask, self._take_ask)
        links.handle(frames.Reveal, self._take_reveal)

    async def load(self) -> None:
        """Take up whom this person blocked."""
        kept = json.loads(await self._store.setting(_BLOCKED) or "[]")
        self._blocked = {PersonId(bytes.fromhex(person)) for person in kept}

    # --- by invitation ---------------------------------------------------------------------------

    async def _take_join(self, link: Link, frame: frames.Join) -> None:
        self._bound(link)
        async with self._one_at_a_time:
            code = await self._answer(link, frame)
        link.send(frames.Joined(frame.team, code, _ANSWERS[code]))
        if code in ("ok", "already"):
            link.team = frame.team
            self._links.promote(link)

    async def _answer(self, link: Link, frame: frames.Join) -> str:
        """The code of the answer; with ``ok`` the admission is written."""
        state = self._registry.team(frame.team)
        if state is None or link.invite != frame.invite:
            return "unknown_invitation"
        code = judge_invite(state, frame.invite, link.person, self._clock.wall_ms())
        if code != "ok":
            return code
        invite = state.invites[frame.invite]
        if not check_proof(invite.public_key, state.id, invite.id, link.signed, frame.proof):
            raise PeerError("bad_proof", "The proof of the invitation is wrong.")
        if not state.may(self._me, Act.ADMIT):
            raise PeerError("cannot", "This computer may not let anybody in.")
        body = Admit(invite.id, link.signed, frame.proof)
        await self._own_log.append(state.id, body, right=by(Act.ADMIT))
        return code

    # --- by asking -------------------------------------------------------------------------------

    def requests(self) -> list[JoinRequest]:
        """Who waits, the oldest first; only those whose words both sides can show."""
        self._forget_old()
        shown = [
            JoinRequest(r.team, r.person, r.link.device, r.name, r.note, r.words, r.asked_at_ms)
            for r in self._requests.values()
            if r.words
        ]
        return sorted(shown, key=lambda request: request.asked_at_ms)

    async def admit(self, team: ConversationId, person: PersonId) -> None:
        """Let somebody in who asked. Raises `UserError` ``not_found``, ``forbidden``."""
        request = self._request(team, person)
        await self._own_log.append(team, Grant(person, Level.MEMBER), right=by(Act.GRANT))
        self._requests.pop((team, person), None)
        self._let_in(request.link, team)
        self._tell()

    async def decline(self, team: ConversationId, person: PersonId, block: bool = False) -> None:
        """Turn somebody down; `block`: they cannot ask this computer again."""
        request = self._request(team, person)
        del self._requests[team, person]
        if block:
            self._blocked = set(sorted(self._blocked | {person})[:MAX_BLOCKED])
            kept = json.dumps([blocked.hex() for blocked in sorted(self._blocked)])
            await self._store.set_setting(_BLOCKED, kept)
        request.link.send(frames.Asked(team, "declined", ZERO))
        request.link.kept = False
        self._tell()

    async def _take_ask(self, link: Link, frame: frames.Ask) -> None:
        self._bound(link)
        state = self._registry.team(frame.team)
        if state is not None and link.person in state.members:
            self._let_in(link, state.id)
            return
        refused = self._refused(link, state)
        if state is None or refused:
            link.send(frames.Asked(frame.team, refused or "cannot", ZERO))
            return
        request = _Request(
            team=state.id,
            person=link.person,
            link=link,
            name=frame.person_name,
            note=frame.note,
            commitment=frame.commitment,
            n2=self._randomness.bytes(32),
            asked_at_ms=self._clock.wall_ms(),
            began_at=_now(),
        )
        self._requests[state.id, link.person] = request
        link.kept = True
        link.send(frames.Asked(state.id, "waiting", request.n2))

    def _refused(self, link: Link, state: TeamState | None) -> str:
        """Why a request is not taken; empty if it is."""
        if state is None or not state.visible or not state.may(self._me, Act.GRANT):
            return "cannot"
        if link.person in self._blocked:
            return "declined"
        self._forget_old()
        others = [
            r for r in self._requests.values() if (r.team, r.person) != (state.id, link.person)
        ]
        near = sum(request.link.host == link.host for request in others)
        return "full" if len(others) >= MAX_REQUESTS or near >= MAX_REQUESTS_PER_ADDRESS else ""

    async def _take_reveal(self, link: Link, frame: frames.Reveal) -> None:
        request = self._requests.get((frame.team, link.person))
        if request is None or request.link is not link or request.words:
            return
        if sas_commitment(frame.n1) != request.commitment:
            del self._requests[frame.team, link.person]
            raise PeerError("bad_commitment", "The random bytes are not the promised ones.")
        dialler, listener = (self._me, link.person) if link.dialled else (link.person, self._me)
        request.words = sas_words(
            link.transcript, dialler, listener, frame.n1, request.n2, self._word_list
        )
        self._tell()

    # --- inside ----------------------------------------------------------------------------------

    def _let_in(self, link: Link, team: ConversationId) -> None:
        link.send(frames.Asked(team, "admitted", ZERO))
        link.team = team
        self._links.promote(link)

    def _request(self, team: ConversationId, person: PersonId) -> _Request:
        self._forget_old()
        request = self._requests.get((team, person))
        if request is None:
            raise UserError(
                "not_found", "This request is gone.", "They may have cancelled it, or gone offline."
            )
        return request

    def _bound(self, link: Link) -> None:
        host = link.host
        if not self._pace.take(host, _now()):
            raise PeerError("too_often", "This address asks too often.")

    def _link_down(self, link: Link) -> None:
        for request in self._requests.values():
            if request.link is link:
                request.gone_at = _now()

    def _forget_old(self) -> None:
        old = [key for key, request in self._requests.items() if request.is_over(_now())]
        for key in old:
            request = self._requests.pop(key)
            request.link.kept = False
        if old:
            self._tell()

    def _tell(self) -> None:
        self._events.publish(JoinRequestsChanged(tuple(self.requests())))


def _now() -> float:
    return asyncio.get_running_loop().time()
