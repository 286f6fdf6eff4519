"""The mailbox of a real server: a file of it survives a restart, and none is none."""

from __future__ import annotations

import os
import time
from pathlib import Path

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import Kept, Mail, Put, Taken, make_grant
from lab.signal_client import SignalClient
from lab.signal_command import signal_command, start_command

SEALED = b"sealed" * 100


def _put(ann: SignalClient, bob: Signer) -> Put:
    grant = make_grant(bob, ann.device, int(time.time()) + 3600)
    return Put(os.urandom(16), DeviceId(bob.public), grant, 3600, SEALED)


async def test_an_envelope_waits_in_the_file_over_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "signaling.toml"
    file.write_text('mailbox_file = "mail"\n')
    bob = Signer(os.urandom(32))
    with signal_command("--config", str(file)) as server:
        async with await SignalClient.logged_in(server.url) as ann:
            put = _put(ann, bob)
            await ann.send(put)
            kept = await ann.wait(Kept)
            assert kept.id == put.id
            assert 3500 < kept.kept_s <= 3600
        metrics = (await server.ask("/metrics")).body.decode()
        assert "folkmoot_signaling_mail_waiting 1.0" in metrics
        server.process.kill()
        server.process.wait(30)
    with signal_command("--config", str(file)) as server:
        async with await SignalClient.logged_in(server.url, bob) as reader:
            mail = await reader.wait(Mail)
            assert (mail.id, mail.sealed) == (put.id, SEALED)
            await reader.send(Taken((put.id,)))
            await reader.settle()
        metrics = (await server.ask("/metrics")).body.decode()
        assert "folkmoot_signaling_mail_waiting 0.0" in metrics


async def test_without_a_mailbox_nodes_are_told_so(tmp_path: Path) -> None:
    file = tmp_path / "signaling.toml"
    file.write_text('mailbox = "off"\n')
    with signal_command("--config", str(file)) as server:
        assert server.fetch("/health").json["parts"]["mailbox"] == "off"
        async with await SignalClient.logged_in(server.url) as ann:
            assert ann.hello is not None
            assert (ann.hello.limits.mail_bytes, ann.hello.limits.mail_s) == (0, 0)
            await ann.send(_put(ann, Signer(os.urandom(32))))
            assert (await ann.wait(Kept)).code == "no_mailbox"


def test_a_file_that_is_no_mailbox_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("something else of somebody, longer than a mailbox begins")
    file = tmp_path / "signaling.toml"
    file.write_text('listen = ["127.0.0.1:0"]\nmailbox_file = "mail"\n')
    process = start_command("--config", str(file))
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "is not a mailbox" in err
    assert "Traceback" not in err
