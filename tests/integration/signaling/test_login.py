"""Logging in at a real server: proofs, origins, the newest wins, resuming, renewing, expiry."""

from __future__ import annotations

import asyncio
import os

import pytest

from folkmoot.protocol import signaling as words
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import Came, Error, Went
from lab.signal_client import Closed, SignalClient
from lab.signal_server import SignalServer, signal_server


def new_tag() -> bytes:
    return os.urandom(16)


async def test_the_server_says_who_it_is_and_what_it_takes(server: SignalServer) -> None:
    async with (
        await SignalClient.connect(server.url) as ann,
        await SignalClient.connect(server.url) as bob,
    ):
        assert ann.hello is not None
        assert bob.hello is not None
        assert ann.hello.version == words.SIGNALING_VERSION
        assert ann.hello.server == bob.hello.server
        assert ann.hello.nonce != bob.hello.nonce
        limits = ann.hello.limits
        assert limits.relayed_bytes == words.MAX_RELAYED_BYTES
        assert limits.frames_per_s > 0 < limits.bytes_per_s
        assert (limits.rooms, limits.room_devices) == (words.MAX_TAGS, words.MAX_ROOM_DEVICES)


async def test_a_login_is_answered_with_a_resume_and_its_time(server: SignalServer) -> None:
    async with await SignalClient.logged_in(server.url) as ann:
        assert ann.ready is not None
        assert len(ann.ready.resume) == 16
        assert ann.ready.token_s == words.TOKEN_S
        assert not ann.ready.resumed


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"version": 2}, "bad_version"),
        ({"signature": bytes(64)}, "bad_login"),
        ({"device": bytes(32)}, "bad_login"),
        ({"origin": "ws://other.example.org:8480"}, "foreign_origin"),
        ({"origin": "ws://127.0.0.1:1"}, "foreign_origin"),
        ({"origin": "nonsense/"}, "foreign_origin"),
    ],
)
async def test_a_login_that_is_wrong_is_refused_and_the_connection_ended(
    server: SignalServer, change: dict[str, object], code: str
) -> None:
    async with await SignalClient.connect(server.url) as ann:
        assert ann.hello is not None
        origin = str(change.get("origin", ann.url))
        fields = {
            "version": 1,
            "device": ann.device,
            "origin": origin,
            "signature": ann.sign(ann.hello.nonce, origin),
        }
        await ann.send(words.Login(**(fields | change)))  # type: ignore[arg-type]
        closed = await ann.ended()
        assert closed.error is not None
        assert (closed.error.code, closed.error.retry_after_ms) == (code, 0)


async def test_the_scheme_may_differ_as_behind_a_proxy_that_ends_tls() -> None:
    with signal_server(names=["wss://talk.example.org"]) as named:
        async with await SignalClient.connect(named.url) as ann:
            await ann.login(origin="wss://talk.example.org")
        async with await SignalClient.connect(named.url) as bob:
            with pytest.raises(Closed, match="foreign_origin"):
                await bob.login(origin=named.url)


async def test_the_newest_login_of_a_key_wins(server: SignalServer) -> None:
    signer = Signer(os.urandom(32))
    async with (
        await SignalClient.logged_in(server.url, signer) as old,
        await SignalClient.logged_in(server.url, signer) as new,
    ):
        closed = await old.ended()
        assert closed.error is not None
        assert closed.error.code == "replaced"
        await new.settle()


async def test_a_new_login_without_a_resume_begins_without_rooms(server: SignalServer) -> None:
    signer, tag = Signer(os.urandom(32)), new_tag()
    async with await SignalClient.logged_in(server.url) as bob:
        await bob.enter(tag)
        async with await SignalClient.logged_in(server.url, signer) as old:
            await old.enter(tag)
            await bob.wait(Came)
            async with await SignalClient.logged_in(server.url, signer) as new:
                assert (await bob.wait(Went)).device == new.device
                await new.enter(tag)
                assert (await bob.wait(Came)).device == new.device


async def test_a_resumed_login_keeps_the_rooms_and_nobody_sees_it(server: SignalServer) -> None:
    signer, tag = Signer(os.urandom(32)), new_tag()
    async with await SignalClient.logged_in(server.url) as bob:
        await bob.enter(tag)
        async with await SignalClient.logged_in(server.url, signer) as first:
            await first.enter(tag)
            await bob.wait(Came)
            assert first.ready is not None
            first.drop()
            async with await SignalClient.logged_in(
                server.url, signer, resume=first.ready.resume
            ) as second:
                assert second.ready is not None
                assert second.ready.resumed
                await bob.relay(second.device, b"still there?")
                assert (await second.relayed())[2] == b"still there?"
                await second.relay(bob.device, b"still here")
                assert (await bob.relayed())[2] == b"still here"
                assert not bob.seen(Came)
                assert not bob.seen(Went)


async def test_a_resume_works_while_the_server_still_holds_the_lost_connection(
    server: SignalServer,
) -> None:
    signer, tag = Signer(os.urandom(32)), new_tag()
    async with await SignalClient.logged_in(server.url, signer) as first:
        await first.enter(tag)
        assert first.ready is not None
        async with await SignalClient.logged_in(
            server.url, signer, resume=first.ready.resume
        ) as second:
            assert second.ready is not None
            assert second.ready.resumed
            assert (await first.ended()).error == Error(
                "replaced", "This device has logged in again.", 0
            )


async def test_a_resume_of_another_device_or_an_older_login_is_worth_nothing(
    server: SignalServer,
) -> None:
    signer = Signer(os.urandom(32))
    async with await SignalClient.logged_in(server.url, signer) as ann:
        assert ann.ready is not None
        async with await SignalClient.logged_in(server.url, resume=ann.ready.resume) as eve:
            assert eve.ready is not None
            assert not eve.ready.resumed
        # An answer may be lost, so what was shown holds until something newer is shown.
        shown = first = ann.ready.resume
        for number in range(4):
            async with await SignalClient.logged_in(server.url, signer, resume=shown) as again:
                assert again.ready is not None
                assert again.ready.resumed is (number != 3)
                shown = (first, again.ready.resume, first, first)[number]


async def test_who_does_not_come_back_in_time_is_gone() -> None:
    with signal_server(resume_s=0.5) as quick:
        signer, tag = Signer(os.urandom(32)), new_tag()
        async with await SignalClient.logged_in(quick.url) as bob:
            await bob.enter(tag)
            async with await SignalClient.logged_in(quick.url, signer) as ann:
                await ann.enter(tag)
                assert ann.ready is not None
                ann.drop()
                assert (await bob.wait(Went)).device == ann.device
                async with await SignalClient.logged_in(
                    quick.url, signer, resume=ann.ready.resume
                ) as late:
                    assert late.ready is not None
                    assert not late.ready.resumed


async def test_a_connection_that_renews_in_time_holds_and_one_that_does_not_is_ended() -> None:
    with signal_server(token_s=8, grace_s=2) as quick:
        async with (
            await SignalClient.logged_in(quick.url) as ann,
            await SignalClient.logged_in(quick.url) as bob,
        ):
            expiry = asyncio.create_task(bob.ended())
            while not expiry.done():
                await ann.send(words.Renew())
                challenge = await ann.wait(words.Challenge)
                await ann.send(words.Prove(ann.sign(challenge.nonce)))
                assert (await ann.wait(words.Renewed)).token_s == 8
                await asyncio.wait([expiry], timeout=0.5)
            closed = expiry.result()
            assert closed.error is not None
            assert (closed.error.code, closed.error.retry_after_ms) == ("expired", 1)
            await ann.settle()


async def test_a_renewal_is_proved_with_its_own_challenge_only(server: SignalServer) -> None:
    async with await SignalClient.logged_in(server.url) as ann:
        assert ann.hello is not None
        await ann.send(words.Renew())
        await ann.wait(words.Challenge)
        await ann.send(words.Prove(ann.sign(ann.hello.nonce)))
        closed = await ann.ended()
        assert closed.error is not None
        assert closed.error.code == "bad_login"


async def test_a_challenge_serves_once(server: SignalServer) -> None:
    async with await SignalClient.logged_in(server.url) as ann:
        await ann.send(words.Renew())
        challenge = await ann.wait(words.Challenge)
        proof = words.Prove(ann.sign(challenge.nonce))
        await ann.send(proof)
        await ann.wait(words.Renewed)
        await ann.send(proof)
        assert (await ann.ended()).error is not None
