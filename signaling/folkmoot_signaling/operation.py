"""Runs a server from its start to its end: puts the parts together, and does what signals say.

SIGTERM and SIGINT drain it, a second one ends it at once, SIGHUP reads the certificate again.
Refuses nothing by itself; what cannot be opened is told before the ready line.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from dataclasses import fields, replace

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from folkmoot import __version__
from folkmoot.domain.address import Address
from folkmoot.domain.errors import UserError
from folkmoot.protocol.signaling import SIGNALING_PATH
from folkmoot_signaling.answers import refuse
from folkmoot_signaling.bus import Bus, MemoryBus
from folkmoot_signaling.config import Config
from folkmoot_signaling.counters import Counters
from folkmoot_signaling.draining import drain
from folkmoot_signaling.health import Health, Part
from folkmoot_signaling.log import EventLog
from folkmoot_signaling.mailbox import Mailbox, MemoryMailbox
from folkmoot_signaling.mailbox_file import FileMailbox
from folkmoot_signaling.mailbox_redis import RedisMailbox
from folkmoot_signaling.metrics import NOW, Metrics
from folkmoot_signaling.redis_bus import RedisBus
from folkmoot_signaling.rest import Rest, tell_errors
from folkmoot_signaling.server import Parts, explain, running
from folkmoot_signaling.stun import StunResponder
from folkmoot_signaling.tls import ServerTls
from folkmoot_signaling.tokens import Tokens

_CLOSED_S = 2.5
_REPORT_S = 60.0


def check(config: Config) -> None:
    """See whether the files of a configuration are good; blocking. Raises UserError
    ``bad_certificate``."""
    _read_certificate(config)


def run(config: Config, log: EventLog) -> None:
    """Serve on a loop of uvloop where it exists, until a signal ends it.

    Raises UserError ``bad_certificate``, ``bad_setting``, EnvironmentFault ``port_taken``,
    ``port_forbidden``, ``address_unusable``, ``mailbox_unusable``, ``not_a_mailbox``.
    """
    tls = _read_certificate(config)
    try:
        import uvloop
    except ImportError:
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_serve(config, log, tls))


def _read_certificate(config: Config) -> ServerTls | None:
    return ServerTls(*config.tls) if config.tls else None


async def _serve(config: Config, log: EventLog, tls: ServerTls | None) -> None:
    mailbox: Mailbox | None = None
    if config.mail is not None and config.redis:
        mailbox = RedisMailbox(config.redis, config.settings.server_id, config.mail)
    elif config.mail is not None and config.mailbox_file is not None:
        mailbox = await FileMailbox.open(config.mailbox_file, config.mail, time.time)
    elif config.mail is not None:
        mailbox = MemoryMailbox(config.mail, time.time)
    try:
        await Operation(config, log, tls, mailbox).serve()
    finally:
        if mailbox is not None:
            await mailbox.aclose()


class Operation:
    """One server that runs."""

    def __init__(
        self,
        config: Config,
        log: EventLog,
        tls: ServerTls | None,
        mailbox: Mailbox | None,
    ) -> None:
        self._config = config
        self._log = log
        self._tls = tls
        self._mailbox = mailbox
        self._stun = StunResponder()
        self._stun_state = "off"
        self._hurry = asyncio.Event()
        settings = config.settings
        self._tokens = Tokens(config.jwt_secret, settings.server_id, settings.token_s)
        counters = Counters()
        bus: Bus = MemoryBus()
        parts: dict[str, Part] = {
            "stun": lambda: self._stun_state,
            "mailbox": lambda: "ok" if mailbox is not None else "off",
        }
        if config.redis:
            bus = over = RedisBus(
                config.redis,
                settings.server_id,
                counters,
                settings.bounds.room_devices,
                tell=log.tell,
            )
            parts["redis"] = lambda: over.state
            if mailbox is not None:
                parts["mailbox"] = lambda: over.state
        self._parts = Parts(
            settings,
            counters,
            bus,
            tokens=self._tokens,
            turn=config.turn,
            mailbox=mailbox,
            tls=tls.context if tls else None,
            routes=self._add_routes,
        )
        self._parts.hub.tell = log.tell
        self._health = Health(parts)
        self._metrics = Metrics(
            self._parts.counters, self._gauges, config.metrics_token, local=config.metrics_local
        )
        self._reported = replace(self._parts.counters)

    async def serve(self) -> None:
        """Serve; print one ready line. Raises as `run`."""
        async with running(self._parts) as addresses:
            try:
                bound = await self._start_stun(addresses)
                signals = self._listen_to_signals()
                ready = {"ready": True, "listen": [str(one) for one in addresses]}
                ready["stun"] = [str(one) for one in bound]
                sys.stdout.write(json.dumps(ready) + "\n")
                sys.stdout.flush()
                self._log.tell("started", version=__version__, tls=self._tls is not None)
                if not self._config.is_named(addresses):
                    # Then it believes whoever says what it is called: another server, too, that
                    # hands on a login which was meant for itself.
                    self._log.tell("no names are set", "warning", setting="names")
                self._report_later()
                while await signals.get() is signal.SIGHUP:
                    await self._reload()
                await self._end()
            finally:
                await self._stun.aclose()

    # --- begin ----------------------------------------------------------------------------------

    def _add_routes(self, application: web.Application) -> None:
        application.middlewares.append(self._guard())
        application.router.add_get("/health", self._health.show)
        application.router.add_get("/metrics", self._metrics.show)
        Rest(self._parts.hub, self._parts.door, self._tokens).add_to(application)

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path != SIGNALING_PATH:
                return await tell_errors(request, handler)
            if self._health.draining:
                response = refuse(503, "draining", "This server is about to end.")
                response.headers["Retry-After"] = "3"
                return response
            return await handler(request)

        return guard

    async def _start_stun(self, addresses: list[Address]) -> list[Address]:
        if not self._config.stun:
            return []
        chosen = self._config.stun_listen
        try:
            bound = await self._stun.start(chosen or addresses)
        except OSError as error:
            if chosen:
                raise explain(chosen[0], error) from error
            # The number was free for TCP only. Nodes do without, or ask another server.
            self._stun_state = "failed"
            self._log.tell("STUN does not listen", "warning", reason=error.strerror)
            return []
        self._stun_state = "ok"
        hub = self._parts.hub
        hub.settings = replace(hub.settings, stun_port=self._config.announced_stun(bound))
        return bound

    def _listen_to_signals(self) -> asyncio.Queue[signal.Signals]:
        signals: asyncio.Queue[signal.Signals] = asyncio.Queue(16)
        loop = asyncio.get_running_loop()

        def came(number: signal.Signals) -> None:
            if self._health.draining:
                self._hurry.set()
            elif not signals.full():
                signals.put_nowait(number)

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, came, number)
        return signals

    # --- under way ------------------------------------------------------------------------------

    async def _reload(self) -> None:
        if self._tls is None:
            return
        try:
            await asyncio.to_thread(self._tls.reload)
        except UserError as error:
            self._log.tell("the certificate was not taken", "error", reason=error.message)
        else:
            self._log.tell("the certificate was read again")

    def _report_later(self) -> None:
        asyncio.get_running_loop().call_later(_REPORT_S, self._report)

    def _report(self) -> None:
        """Log once a minute what was counted, if anything."""
        now = replace(self._parts.counters)
        changed = {
            one.name: getattr(now, one.name) - getattr(self._reported, one.name)
            for one in fields(Counters)
            if one.name not in NOW
        }
        if any(changed.values()):
            grown = {name: count for name, count in changed.items() if count}
            self._log.write("info", "last minute", {"connections": now.connections, **grown})
        self._reported = now
        self._report_later()

    def _gauges(self) -> dict[str, float]:
        hub, stun = self._parts.hub, self._stun
        letters, letter_bytes = self._mailbox.usage() if self._mailbox is not None else (0, 0)
        return {
            "mail_waiting": letters,
            "mail_waiting_bytes": letter_bytes,
            "rooms": len(hub.rooms),
            "room_places": hub.rooms.places,
            "strangers": hub.strangers,
            "handshakes": self._parts.door.handshakes,
            "stun_answered": stun.answered,
            "stun_ignored": stun.ignored,
            "stun_limited": stun.limited,
            "log_lines_lost": self._log.lost,
            "draining": float(self._health.draining),
            "degraded": float(self._health.status == "degraded"),
        }

    # --- end ------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Over within ten seconds."""
        self._health.draining = True
        hub, began_s = self._parts.hub, time.monotonic()
        self._log.tell("draining", connections=len(hub.connections))
        await drain(hub, self._config.drain_s, self._config.drain_to, self._hurry)
        try:
            async with asyncio.timeout(0 if self._hurry.is_set() else _CLOSED_S):
                # Each ends by itself, and nothing tells of the last.
                while hub.connections and not self._hurry.is_set():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pass
        left = list(hub.connections)
        for connection in left:
            connection.transport.abort()
        self._log.tell("ended", seconds=round(time.monotonic() - began_s, 2), cut_off=len(left))
