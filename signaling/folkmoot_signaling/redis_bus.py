"""The bus of a server with several nodes: they meet in Redis.

Each node listens on one channel of its own. There is one publish at a time; what comes while it is
under way leaves with the next. Every trouble ends the same way: this node is `away`, connects anew
under a new name, and says everything again; under the old name nothing holds any more. Refuses to
let anybody here wait for Redis, except a login, a second at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import time
from collections.abc import Callable
from typing import Any, Final

import redis.asyncio as redis

from folkmoot.domain.ids import DeviceId
from folkmoot_signaling.bus import Local
from folkmoot_signaling.counters import Counters
from folkmoot_signaling.epochs import Epochs
from folkmoot_signaling.exchange import Commands, Exchange, Trouble
from folkmoot_signaling.redis_client import TROUBLE, WAIT_S, key_prefix, open_redis
from folkmoot_signaling.redis_scripts import SCRIPTS

BEAT_S: Final = 1.0
DEAF_S: Final = 5.0
"""A channel on which our own beat was not heard for so long is none."""
_CLAIM_S = 1.0
_BACKOFF_S, _MAX_BACKOFF_S = 0.1, 2.0
_CALM_S = 20.0
_BYE_S = 1.0
_log = logging.getLogger(__name__)


class RedisBus:
    """`bus.Bus` over Redis. `state` is for `/health`: ``ok`` or ``away``."""

    def __init__(
        self,
        url: str,
        server_id: bytes,
        counters: Counters,
        room_devices: int,
        *,
        tell: Callable[..., None] = lambda *_, **__: None,
        beat_s: float = BEAT_S,
        deaf_s: float = DEAF_S,
    ) -> None:
        self.state = "away"
        self._url = url
        self._counters = counters
        self._tell = tell
        self._beat_s = beat_s
        self._deaf_s = deaf_s
        self._epochs = Epochs(time.time)
        prefix = key_prefix(server_id)
        self._exchange = Exchange(prefix, self._epochs, counters, room_devices, time.monotonic)
        self._wake = asyncio.Event()
        self._mail_came = asyncio.Event()
        self._ending = False
        self._task: asyncio.Task[None] | None = None

    # --- what the hub says ------------------------------------------------------------------------

    def attach(self, local: Local) -> None:
        """As `Bus.attach`."""
        self._exchange.local = local

    async def start(self) -> None:
        """Begin; Redis may come later."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="redis")

    async def aclose(self) -> None:
        """Say that this node ends, if Redis hears it, and end."""
        self._ending = True
        self._wake.set()
        task, self._task = self._task, None
        if task is not None:
            await asyncio.wait([task], timeout=_BYE_S if self.state == "ok" else 0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def claim(self, device: DeviceId) -> int:
        """From Redis; from the clock while that is away."""
        if self.state != "ok":
            return self._epochs.own()
        self._wake.set()
        return await self._epochs.ask(_CLAIM_S)

    def announce(self, device: DeviceId, epoch: int) -> None:
        """As `Bus.announce`."""
        self._exchange.far.forget_device(device)
        if self.state == "ok":
            self._exchange.here.announce(device, epoch)
            self._wake.set()

    def withdraw(self, device: DeviceId, epoch: int) -> None:
        """As `Bus.withdraw`."""
        if self.state == "ok":
            self._exchange.here.withdraw(device, epoch)
            self._wake.set()

    def enter(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        """As `Bus.enter`."""
        if self.state == "ok":
            self._exchange.here.enter(tag, device)
            self._wake.set()

    def leave(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        """As `Bus.leave`."""
        if self.state == "ok":
            if self._exchange.here.leave(tag, device):
                self._exchange.far.forget_tag(tag)
            self._wake.set()

    def relay(self, destination: DeviceId, frame: bytes) -> bool:
        """As `Bus.relay`. A frame for which there is no room is lost, as in a network."""
        node = self._exchange.far.node(destination)
        if node is None or self.state != "ok":
            return False
        if not self._exchange.out.relay(node, destination, frame):
            self._counters.frames_nodes_lost += 1
        self._wake.set()
        return True

    def mail(self, recipient: DeviceId) -> None:
        """As `Bus.mail`."""
        if self.state == "ok":
            self._exchange.out.mail(recipient)
            self._wake.set()

    # --- one connection after the other -----------------------------------------------------------

    async def _run(self) -> None:
        wait_s = _BACKOFF_S
        while True:
            began_s = time.monotonic()
            reason = ""
            try:
                await self._speak()
            except* (*TROUBLE, Trouble) as group:
                reason = type(_first(group)).__name__
            except* Exception as group:  # noqa: BLE001 - a bug of ours; nobody would connect again
                self._counters.faults += 1
                reason = "fault"
                _log.exception("the bus failed", exc_info=group)
            if self._ending:
                return
            if time.monotonic() - began_s > _CALM_S:
                wait_s = _BACKOFF_S
            self._tell("Redis is away", "warning", reason=reason)
            await asyncio.sleep(wait_s * random.uniform(0.7, 1.3))
            wait_s = min(2 * wait_s, _MAX_BACKOFF_S)

    async def _speak(self) -> None:
        """Be one node, under a name that was never used, until there is trouble."""
        # Two connections: one to listen, one for everything else.
        async with open_redis(self._url, 2) as client, client.pubsub() as ear:
            node = os.urandom(8).hex().encode()
            async with asyncio.timeout(2 * WAIT_S):
                await ear.subscribe(self._exchange.channel(node))
                if await ear.get_message(timeout=WAIT_S) is None:
                    raise Trouble("no answer to a subscription")
                await self._load(client, node)
            # From here on every change is heard, so nothing comes between: no wait.
            self._exchange.begin(node)
            self.state = "ok"
            self._tell("Redis is there")
            self._wake.set()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._listen(ear), name="redis ear")
                    group.create_task(self._beat(), name="redis beat")
                    group.create_task(self._deliver(), name="redis mail")
                    await self._write(client)
                    raise Trouble("the end")
            finally:
                self.state = "away"
                self._counters.redis_lost += not self._ending
                self._exchange.lose()

    async def _load(self, client: redis.Redis, node: bytes) -> None:
        pipeline = client.pipeline(transaction=False)
        for script in SCRIPTS.values():
            pipeline.execute_command("SCRIPT LOAD", script)
        pipeline.execute_command(*self._exchange.alive(node))
        if self._exchange.node:
            pipeline.delete(self._exchange.key("node:", self._exchange.node))
        hashes = await pipeline.execute()
        self._exchange.hashes = dict(zip(SCRIPTS, hashes, strict=False))

    async def _write(self, client: redis.Redis) -> None:
        """One round after the other, until the end."""
        while not self._ending:
            await self._wake.wait()
            self._wake.clear()
            await self._send(client, self._exchange.take())
            if self._exchange:
                self._wake.set()
        await self._send(client, self._exchange.last())

    async def _send(self, client: redis.Redis, commands: Commands) -> None:
        pipeline = client.pipeline(transaction=False)
        for command, _ in commands:
            pipeline.execute_command(*command)
        async with asyncio.timeout(2 * WAIT_S):
            answers = await pipeline.execute()
        for (_, handle), answer in zip(commands, answers, strict=True):
            if handle is not None:
                handle(answer)

    async def _listen(self, ear: Any) -> None:
        while True:
            message = await ear.get_message(ignore_subscribe_messages=True, timeout=self._deaf_s)
            if message is None:
                continue
            try:
                self._exchange.hear(message["data"])
            except ValueError:
                self._counters.nodes_garbage += 1
            except Exception:  # noqa: BLE001 - a bug of ours; the next message is heard all the same
                self._counters.faults += 1
                _log.exception("a message of a node failed")
            if self._exchange.out:
                self._wake.set()
            if self._exchange.mailed:
                self._mail_came.set()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._beat_s)
            if time.monotonic() - self._exchange.heard_s > self._deaf_s:
                raise Trouble("our own beat is not heard")
            self._exchange.beat_due = True
            self._wake.set()

    async def _deliver(self) -> None:
        """The mailbox may be slow; nobody else waits for it."""
        mailed = self._exchange.mailed
        while True:
            await self._mail_came.wait()
            self._mail_came.clear()
            while mailed:
                device = next(iter(mailed))
                del mailed[device]
                await self._exchange.local.far_mail(device)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
