"""Candidates for a connection: what STUN servers see of this computer, and a relay of TURN.

aiortc asks one STUN and one TURN server, waits five seconds for both, and says nothing if there is
no relay. Here all are asked at once; of the TURN servers UDP first, then TCP, then TLS, each a
moment after the one before, and the first that answers is taken. What came of it is told. Refuses
to hold a connection up for long: where no relay answered a moment ago, less time is spent on it.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aioice import Candidate, Connection
from aioice.ice import StunProtocol, relayed_candidate, server_reflexive_candidate
from aioice.stun import TransactionFailed

from folkmoot.services.calls.servers import IceUrl, read_url
from folkmoot.services.media_port import IceServer, TurnTried

STUN_S, STUN_LATE_S = 2.0, 0.3
"""For all STUN servers, and after the first good answer or a relay for those that are left."""
RELAY_S, RELAY_AGAIN_S, AGAIN_S = 3.0, 1.0, 30.0
"""For all TURN servers; and so much within `AGAIN_S` after none answered."""
NEXT_S = 0.5
"""After so long without an answer the next TURN server is tried beside the one before."""
_CODES = {401: "refused", 403: "refused", 438: "refused", 441: "refused", 486: "full", 508: "full"}
_WORST = ("refused", "full", "certificate", "no_answer")
"""What is told if several servers failed in several ways: that from which most is learned."""

Relay = tuple[Candidate, StunProtocol]


class Ways:
    """How connections are made, for all of them. `servers`: only what is set here is ever asked."""

    def __init__(
        self,
        servers: tuple[IceServer, ...] = (),
        tried: Callable[[TurnTried], None] = lambda _tried: None,
    ) -> None:
        """`tried` is told after each attempt to get a relay."""
        self.servers = servers
        self._tried = tried
        self._worked = ""
        self._failed_at: float | None = None

    async def gather(self, connection: Connection) -> list[Candidate]:
        """Candidates besides those of the sockets that `connection` has; once for each."""
        sockets = [each for each in connection._protocols if ":" not in each.local_candidate.host]
        found: dict[tuple[str, int], Candidate] = {}
        asking = asyncio.get_running_loop().create_task(self._reflexive(sockets, found))
        try:
            relay = await self._relay(connection)
            # With a relay it goes on without STUN, too: over TCP it is there when UDP is silent.
            await asyncio.wait([asking], timeout=None if relay is None else STUN_LATE_S)
        finally:
            await _cancel([asking])
        if relay is None:
            return list(found.values())
        candidate, socket = relay
        connection._protocols.append(socket)
        return [*found.values(), candidate]

    # --- STUN ----------------------------------------------------------------------------------

    async def _reflexive(
        self, sockets: Sequence[StunProtocol], found: dict[tuple[str, int], Candidate]
    ) -> None:
        places = await self._stun_places()
        asked = {
            asyncio.ensure_future(server_reflexive_candidate(socket, place))
            for socket in sockets
            for place in places
        }
        loop = asyncio.get_running_loop()
        end, pending = loop.time() + STUN_S, asked
        try:
            while pending and (left_s := end - loop.time()) > 0:
                done, pending = await asyncio.wait(
                    pending, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
                )
                for each in done:
                    if each.exception() is None:
                        candidate = each.result()[0]
                        found[candidate.host, candidate.port] = candidate
                if found:
                    end = min(end, loop.time() + STUN_LATE_S)
        finally:
            await _cancel(pending)

    async def _stun_places(self) -> list[tuple[str, int]]:
        """IPv4 addresses of the STUN servers."""
        loop = asyncio.get_running_loop()
        places: list[tuple[str, int]] = []
        for server in self.servers:
            url = read_url(server.url)
            if url is None or url.scheme != "stun":
                continue
            try:
                async with asyncio.timeout(STUN_S):
                    infos = await loop.getaddrinfo(url.host, url.port)
            except (OSError, TimeoutError, UnicodeError):
                continue
            hosts = [str(info[4][0]) for info in infos]
            places += [(host, url.port) for host in hosts if ":" not in host]
        return list(dict.fromkeys(places))[:4]

    # --- TURN ----------------------------------------------------------------------------------

    async def _relay(self, connection: Connection) -> Relay | None:
        """A relay of the first TURN server that gives one."""
        turns = self._turns()
        if not turns:
            return None
        loop = asyncio.get_running_loop()
        failed_at = self._failed_at
        again = failed_at is not None and loop.time() - failed_at < AGAIN_S
        end = loop.time() + (RELAY_AGAIN_S if again else RELAY_S)
        wait_s = 0.0 if again else NEXT_S
        waiting, running, codes = list(turns), dict[asyncio.Task[Relay], str](), list[str]()
        try:
            while (waiting or running) and (left_s := end - loop.time()) > 0:
                if waiting:
                    server, url = waiting.pop(0)
                    running[loop.create_task(_allocate(connection, server, url))] = server.url
                done, _ = await asyncio.wait(
                    running,
                    timeout=min(left_s, wait_s) if waiting else left_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in done:
                    name = running.pop(task)
                    error = task.exception()
                    if error is None:
                        self._note("ok", name)
                        return task.result()
                    codes.append(_code_of(error))
        finally:
            await _give_back(running)
        code = next((each for each in _WORST if each in codes), "no_answer")
        self._note(code, turns[0][0].url)
        self._failed_at = loop.time()
        return None

    def _turns(self) -> list[tuple[IceServer, IceUrl]]:
        """The TURN servers in the order in which they are tried: what worked last comes first."""
        found = [(server, read_url(server.url)) for server in self.servers]
        turns = [(server, url) for server, url in found if url is not None and url.is_turn]
        turns.sort(key=lambda each: (each[0].url != self._worked, each[1].effort))
        return turns

    def _note(self, code: str, url: str) -> None:
        if code == "ok":
            self._worked, self._failed_at = url, None
        else:
            sys.stderr.write(f"There is no relay: {code} of {url}\n"[:400])
        self._tried(TurnTried(code, url))


async def _allocate(connection: Connection, server: IceServer, url: IceUrl) -> Relay:
    return await relayed_candidate(
        component=1,
        hide_related_address=False,
        protocol_factory=lambda: StunProtocol(connection),
        turn_server=(url.host, url.port),
        turn_username=server.username or None,
        turn_password=server.credential or None,
        turn_ssl=url.scheme == "turns",
        turn_transport=url.transport,
    )


async def _give_back(running: dict[asyncio.Task[Relay], str]) -> None:
    """End attempts that are not needed, and relays that came all the same."""
    await _cancel(running)
    for task in running:
        if not task.cancelled() and task.exception() is None:
            await task.result()[1].close()


async def _cancel(tasks: Iterable[asyncio.Future[Any]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _code_of(error: BaseException) -> str:
    if isinstance(error, TransactionFailed):
        return _CODES.get(error.response.error_code or 0, "refused")
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    return "no_answer"
