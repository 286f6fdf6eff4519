"""A hub without a network: transports that keep what is written, a clock of the test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol import signaling as words
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import Control, read_control, write_control
from folkmoot_signaling.bus import Bus, MemoryBus
from folkmoot_signaling.connection import Connection
from folkmoot_signaling.counters import Counters
from folkmoot_signaling.directory import Session
from folkmoot_signaling.hub import Hub
from folkmoot_signaling.mailbox import Mailbox
from folkmoot_signaling.nodes import Nodes
from folkmoot_signaling.ports import NoTokens, NoTurn
from folkmoot_signaling.settings import Settings

HOST = "talk.example.org:8480"
ORIGIN = f"ws://{HOST}"


class FakeTransport(asyncio.Transport):
    """Keeps what is written; `stuck` bytes are said to wait beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.stuck = 0
        self.aborted = False

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.stuck

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def take(self) -> list[bytes]:
        """The binary messages that were written since the last look."""
        data, found = bytes(self.written), []
        self.written.clear()
        while data:
            size, at = data[1], 2
            if size == 126:
                size, at = int.from_bytes(data[2:4], "big"), 4
            elif size == 127:
                size, at = int.from_bytes(data[2:10], "big"), 10
            if data[0] == 0x82:
                found.append(data[at : at + size])
            data = data[at + size :]
        return found


class Node:
    """One device at the hub."""

    def __init__(self, town: Town, signer: Signer | None = None) -> None:
        self.town = town
        self.signer = signer or Signer(os.urandom(32))
        self.device = DeviceId(self.signer.public)
        self.transport = FakeTransport()
        place = town.hub.limits.place("192.0.2.1", town.now_s)
        assert place is not None
        self.connection = Connection(self.transport, HOST, place)
        town.hub.opened(self.connection)
        (self.hello,) = self.came(words.Hello)
        self.session: Session[Connection] | None = None
        self.first: list[Any] = []
        """What came with the login."""

    async def login(self, resume: bytes = b"") -> words.Ready:
        signed = words.login_bytes(self.hello.server, ORIGIN, self.hello.nonce)
        signature = self.signer.sign(words.LABEL_LOGIN, signed)
        login = words.Login(1, self.device, ORIGIN, signature, resume)
        self.session = await self.town.hub.login(self.connection, login)
        self.first = self.messages()
        ready: words.Ready = self.first[0]
        return ready

    async def say(self, message: Control) -> float:
        assert self.session is not None
        return await self.town.hub.control(self.session, self.connection, write_control(message))

    def relay(self, device: DeviceId, payload: bytes) -> float:
        assert self.session is not None
        data = words.write_relay(device, payload)
        return self.town.hub.relay.hand_on(self.session, self.connection, data)

    def messages(self) -> list[Any]:
        """What came since the last look; a relayed frame as bytes."""
        return [
            data if data[0] == 1 else read_control(data, from_server=True)
            for data in self.transport.take()
        ]

    def came(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.messages() if isinstance(message, kind)]

    def lose(self) -> None:
        self.town.hub.closed(self.connection)


class Town:
    """A hub with its clock."""

    def __init__(
        self,
        settings: Settings | None = None,
        bus: Bus | None = None,
        mailbox: Mailbox | None = None,
        unix_s: Callable[[], float] = lambda: 1e9,
    ) -> None:
        self.now_s = 100.0
        self.counters = Counters()
        self.bus = bus or MemoryBus()
        self.hub = Hub(
            settings or Settings(),
            self.counters,
            self.bus,
            NoTokens(),
            NoTurn(),
            mailbox,
            now_s=lambda: self.now_s,
            unix_s=unix_s,
        )
        self.nodes = Nodes(self.hub)
        self.bus.attach(self.nodes)

    async def node(self, signer: Signer | None = None, resume: bytes = b"") -> Node:
        node = Node(self, signer)
        await node.login(resume)
        return node
