"""Sealed envelopes at a real server: left, kept, delivered, taken."""

from __future__ import annotations

import os
import time

from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import (
    MAX_ENVELOPE_BYTES,
    Kept,
    Mail,
    Put,
    Taken,
    make_grant,
)
from lab.signal_client import SignalClient
from lab.signal_server import SignalServer


async def test_an_envelope_waits_for_who_is_away_until_it_was_taken(server: SignalServer) -> None:
    bob = Signer(os.urandom(32))
    sealed = os.urandom(MAX_ENVELOPE_BYTES)
    async with await SignalClient.logged_in(server.url) as ann:
        grant = make_grant(bob, ann.device, int(time.time()) + 60)
        ids = [os.urandom(16) for _ in range(3)]
        for id in ids:
            await ann.send(Put(id, bob.public, grant, 3600, sealed))  # type: ignore[arg-type]
            assert (await ann.wait(Kept)) == Kept(id, 3600, "")
    for _ in range(2):
        async with await SignalClient.logged_in(server.url, bob) as away:
            assert [await away.wait(Mail) for _ in ids] == [Mail(id, sealed) for id in ids]
    async with await SignalClient.logged_in(server.url, bob) as away:
        await away.send(Taken(tuple(ids)))
        await away.settle()
    async with await SignalClient.logged_in(server.url, bob) as away:
        await away.settle()
        assert away.seen(Mail) == []


async def test_who_reads_gets_it_at_once(server: SignalServer) -> None:
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
    ):
        grant = make_grant(bob.signer, ann.device, int(time.time()) + 60)
        await ann.send(Put(bytes(16), bob.device, grant, 600, b"sealed"))
        assert (await ann.wait(Kept)).kept_s == 600
        assert (await bob.wait(Mail)).sealed == b"sealed"
