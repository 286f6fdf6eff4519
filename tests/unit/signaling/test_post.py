"""Mail at the hub: who may leave it, and how it is delivered."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

import pytest

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import Error, Kept, Mail, Put, Taken, make_grant
from folkmoot_signaling import post
from folkmoot_signaling.bus import MemoryBus
from folkmoot_signaling.connection import RELAY_WAITING_BYTES
from folkmoot_signaling.mailbox import MailLimits, MemoryMailbox, Receipt, Waiting
from folkmoot_signaling.settings import Bounds, Rate, Settings
from unit.signaling.town import Node, Town

NOW_S = 1_000_000.0
BOB = Signer(b"b" * 32)
BOB_DEVICE = DeviceId(BOB.public)


def town_with(mailbox: MemoryMailbox | None = None, settings: Settings | None = None) -> Town:
    mailbox = mailbox or MemoryMailbox(MailLimits(), lambda: NOW_S)
    return Town(settings, mailbox=mailbox, unix_s=lambda: NOW_S)


def put(sender: Node, sealed: bytes = b"sealed", until_s: float = NOW_S + 1) -> Put:
    grant = make_grant(BOB, sender.device, int(until_s))
    return Put(os.urandom(16), BOB_DEVICE, grant, 3600, sealed)


async def kept(node: Node, message: Put) -> tuple[int, str]:
    await node.say(message)
    (answer,) = node.came(Kept)
    assert answer.id == message.id
    return answer.kept_s, answer.code


async def test_an_envelope_waits_until_its_recipient_logs_in_and_took_it() -> None:
    town = town_with()
    ann = await town.node()
    message = put(ann)
    assert await kept(ann, message) == (3600, "")
    for _ in range(2):
        bob = Node(town, BOB)
        assert await first_mail(bob) == [Mail(message.id, b"sealed")]
        bob.lose()
    bob = Node(town, BOB)
    assert await first_mail(bob) == [Mail(message.id, b"sealed")]
    await bob.say(Taken((message.id,)))
    bob.lose()
    assert await first_mail(Node(town, BOB)) == []
    assert town.counters.mail_taken == 1


async def first_mail(node: Node) -> list[Mail]:
    """Log in and give the mail that comes with it."""
    await node.login()
    return [message for message in node.first if isinstance(message, Mail)]


async def test_who_is_there_gets_it_at_once() -> None:
    town = town_with()
    ann, bob = await town.node(), await town.node(BOB)
    message = put(ann)
    await ann.say(message)
    assert bob.came(Mail) == [Mail(message.id, b"sealed")]


async def test_only_who_was_granted_it_may_leave_mail_and_only_in_time() -> None:
    town = town_with()
    ann, eve = await town.node(), await town.node()
    stolen = put(ann)
    forged = Put(bytes(16), BOB_DEVICE, make_grant(eve.signer, eve.device, 2**40), 3600, b"x")
    damaged = Put(bytes(16), BOB_DEVICE, b"nonsense", 3600, b"x")
    for message in (stolen, forged, damaged, put(eve, until_s=NOW_S)):
        assert await kept(eve, message) == (0, "mail_refused")
    assert await kept(eve, put(eve)) == (3600, "")
    assert (town.counters.mail_put, town.counters.mail_refused) == (1, 4)


async def test_without_a_mailbox_mail_is_refused_and_announced_so() -> None:
    town = Town()
    ann = await town.node()
    assert (ann.hello.limits.mail_bytes, ann.hello.limits.mail_s) == (0, 0)
    assert await kept(ann, put(ann)) == (0, "no_mailbox")


async def test_the_mailbox_that_there_is_is_announced() -> None:
    limits = (await town_with().node()).hello.limits
    assert (limits.mail_bytes, limits.mail_s) == (MailLimits().pair_bytes, MailLimits().keep_s)


@pytest.mark.parametrize("name", ["key_puts", "address_puts", "all_puts"])
async def test_too_many_envelopes_are_refused(name: str) -> None:
    settings = Settings(bounds=Bounds(**{name: Rate(0.1, 2)}))  # type: ignore[arg-type]
    town = town_with(settings=settings)
    ann = await town.node()
    codes = [(await kept(ann, put(ann)))[1] for _ in range(3)]
    assert codes == ["", "", "too_fast"]


async def test_a_full_mailbox_says_so() -> None:
    town = town_with(MemoryMailbox(MailLimits(pair_count=1), lambda: NOW_S))
    ann = await town.node()
    assert await kept(ann, put(ann)) == (3600, "")
    assert await kept(ann, put(ann)) == (0, "mail_full")


async def test_mail_waits_for_room_at_a_recipient_that_reads_slowly() -> None:
    town = town_with()
    ann, bob = await town.node(), await town.node(BOB)
    bob.transport.stuck = RELAY_WAITING_BYTES + 1
    messages = [put(ann) for _ in range(3)]
    for message in messages:
        await ann.say(message)
    assert bob.came(Mail) == []
    bob.transport.stuck = 0
    await bob.say(Taken(()))
    assert [mail.id for mail in bob.came(Mail)] == [message.id for message in messages]


class Stuck(MemoryMailbox):
    """A mailbox whose store does not answer."""

    async def put(
        self,
        recipient: DeviceId,
        sender: DeviceId,
        address: str,
        id: bytes,
        sealed: bytes,
        keep_s: int,
    ) -> Receipt:
        await asyncio.sleep(60)
        raise AssertionError

    async def waiting(
        self, recipient: DeviceId, after: int = 0, max_bytes: int = 0
    ) -> list[Waiting]:
        await asyncio.sleep(60)
        raise AssertionError

    async def taken(self, recipient: DeviceId, ids: Sequence[bytes]) -> None:
        await asyncio.sleep(60)


async def test_a_mailbox_that_does_not_answer_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "_MAILBOX_S", 0.01)
    town = town_with(Stuck(MailLimits(), lambda: NOW_S))
    ann = await town.node()
    assert await kept(ann, put(ann)) == (0, "busy")
    await ann.say(Taken((bytes(16),)))
    assert ann.came(Error) == []


class Posting(MemoryBus):
    """Keeps for whom mail was announced to other nodes."""

    def __init__(self) -> None:
        super().__init__()
        self.mailed: list[DeviceId] = []

    def mail(self, recipient: DeviceId) -> None:
        self.mailed.append(recipient)


async def test_mail_for_a_device_elsewhere_is_told_to_the_other_nodes() -> None:
    bus = Posting()
    town = Town(mailbox=MemoryMailbox(MailLimits(), lambda: NOW_S), bus=bus, unix_s=lambda: NOW_S)
    ann = await town.node()
    await ann.say(put(ann))
    assert bus.mailed == [BOB_DEVICE]
    bob = await town.node(BOB)
    await town.nodes.far_mail(BOB_DEVICE)
    await town.nodes.far_mail(DeviceId(b"n" * 32))
    assert bob.came(Mail) == []


async def test_who_had_too_much_under_way_gets_mail_once_that_is_taken() -> None:
    town = town_with()
    ann, bob = await town.node(), await town.node(BOB)
    bob.transport.stuck = RELAY_WAITING_BYTES + 1
    message = put(ann)
    await ann.say(message)
    await town.hub.post.deliver_held()
    assert bob.came(Mail) == []
    bob.transport.stuck = 0
    await town.hub.post.deliver_held()
    assert bob.came(Mail) == [Mail(message.id, b"sealed")]
    await town.hub.post.deliver_held()
    assert bob.came(Mail) == []
