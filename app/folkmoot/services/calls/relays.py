"""Which STUN and TURN servers connections of calls ask, and whether they got a relay there.

Owns what signaling servers offer beside what the person named, and until when the credentials hold
with which each connection was begun. A running relay goes on after that with most TURN servers, not
with all, so its connection gets a successor in time. Refuses addresses that no connection can use.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable

from folkmoot.domain.ids import DeviceId
from folkmoot.services.call_values import RelayCheck
from folkmoot.services.calls.servers import read_url
from folkmoot.services.events import CallNotice, EventBus
from folkmoot.services.media_port import MAX_ICE_SERVERS, IceServer, TurnTried
from folkmoot.services.signaling_port import ServerState, TurnServer

MAX_CHARACTERS = 512
"""Of an address, a username or a credential: what `media_port` takes."""
MARGIN_S = 900.0
"""So long before the credentials end, at most a quarter of their time, the successor is made."""
MAX_REMEMBERED = 256
_WORDS = {
    "refused": (
        "The relay for calls refuses the credentials of your server.",
        "Its host has to look at it: the two must have the same secret, and the right time.",
    ),
    "full": (
        "The relay for calls has no place left.",
        "Try again in a while, or ask its host for more.",
    ),
    "certificate": (
        "The relay for calls shows a certificate that cannot be trusted.",
        "Its host has to renew it. The time of this computer may be wrong, too.",
    ),
    "no_answer": (
        "The relay for calls does not answer.",
        "This network may let nothing through to it, over UDP or over TCP; or it is switched off.",
    ),
}
_NO_SERVER = (
    "Nobody is reached directly, and there is no relay for calls.",
    "A signaling server with TURN would carry them: ask its host, or name one in the settings.",
)


class Relays:
    """For all calls of the node."""

    def __init__(
        self,
        offered: Callable[[], Iterable[ServerState]],
        events: EventBus,
        wall_ms: Callable[[], int],
    ) -> None:
        """`offered`: how the signaling servers stand."""
        self._offered = offered
        self._events = events
        self._wall_ms = wall_ms
        self._until: dict[DeviceId, tuple[float, float]] = {}
        self._told = ""
        self.typed: tuple[IceServer, ...] = ()
        self.last: RelayCheck | None = None
        """What came of the last attempt to get a relay."""

    def servers(self) -> tuple[IceServer, ...]:
        """All to ask now: what the person named first."""
        found = list(self.typed)
        for state in self._offered():
            if state.stun:
                found.append(IceServer(f"stun:{state.stun}"))
            turn = state.turn
            if turn is not None and _end(turn) > _now():
                found += [IceServer(url, turn.username, turn.credential) for url in turn.urls]
        fit = [server for server in dict.fromkeys(found) if _is_fit(server)]
        return tuple(fit[:MAX_ICE_SERVERS])

    # --- credentials that end ------------------------------------------------------------------

    def connecting(self, device: DeviceId) -> None:
        """A connection to a device begins with the credentials of now."""
        if len(self._until) >= MAX_REMEMBERED:
            self._until.clear()
        newest = self._newest()
        if newest is None:
            self._until.pop(device, None)
        else:
            self._until[device] = _end(newest), min(MARGIN_S, newest.valid_s / 4)

    def is_due(self, device: DeviceId) -> bool:
        """Whether the relayed connection to a device needs a successor, and can have one."""
        end_s, margin_s = self._until.get(device, (math.inf, 0.0))
        newest = self._newest()
        return _now() > end_s - margin_s and newest is not None and _end(newest) > end_s

    def _newest(self) -> TurnServer | None:
        turns = [state.turn for state in self._offered() if state.turn is not None]
        return max(turns, key=_end, default=None)

    # --- what came of it -----------------------------------------------------------------------

    def take(self, tried: TurnTried) -> None:
        """A connection asked for a relay."""
        words, hint = _WORDS.get(tried.code, ("", ""))
        self.last = RelayCheck(tried.code, words, hint, tried.url, self._wall_ms())
        if tried.code == "ok":
            self._told = ""

    def missing(self) -> bool:
        """Whether there is no relay for a connection that needs one."""
        return not self._is_offered() or (self.last is not None and self.last.code != "ok")

    def failed(self) -> None:
        """A connection came to nothing: say so if a relay would have helped, once for a cause."""
        if not self.missing():
            return
        words, hint = _NO_SERVER
        if self.last is not None and self._is_offered():
            words, hint = self.last.words, self.last.hint
        if words != self._told:
            self._told = words
            self._events.publish(CallNotice("no_relay", words, hint))

    def all_reached(self) -> None:
        """Nobody misses a relay any more: what was said goes."""
        if self._told:
            self._told = ""
            self._events.publish(CallNotice("no_relay", ""))

    def _is_offered(self) -> bool:
        urls = [read_url(server.url) for server in self.servers()]
        return any(url is not None and url.is_turn for url in urls)


def _is_fit(server: IceServer) -> bool:
    texts = (server.url, server.username, server.credential)
    return all(len(text) <= MAX_CHARACTERS for text in texts) and read_url(server.url) is not None


def _end(turn: TurnServer) -> float:
    return turn.since_s + turn.valid_s


def _now() -> float:
    return asyncio.get_running_loop().time()
