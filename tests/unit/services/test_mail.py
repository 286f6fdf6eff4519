"""Parts of sealed mail by themselves: the record of what waits, leave, the queue of what came."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import pytest

from builders.nodes import HandClock, keyring_of
from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, LogKey
from folkmoot.domain.servers import ServerUrl, parse_server
from folkmoot.net.sealing import HpkeSealer
from folkmoot.protocol import frames
from folkmoot.protocol.frames import Segment
from folkmoot.protocol.signaling import make_grant, read_grant
from folkmoot.services import mail_grants, mail_intake, mail_record
from folkmoot.services.authority import Verdict
from folkmoot.services.link import Link
from folkmoot.services.mail_grants import GRANT_S, MailGrants
from folkmoot.services.mail_intake import MailIntake
from folkmoot.services.mail_record import MailRecord, Run
from folkmoot.services.ports import Store
from folkmoot.services.registry import TeamRegistry

ADA, BOB = keyring_of("Ada"), keyring_of("Bob")
URL, OTHER = parse_server("wss://talk.example.org"), parse_server("wss://other.example.org")
NOW = 1_000_000


class Settings:
    """The local settings of a store."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}

    async def set_setting(self, key: str, value: str | None) -> None:
        """Keep or forget."""
        self.held.pop(key, None)
        if value is not None:
            self.held[key] = value

    async def settings(self, prefix: str) -> dict[str, str]:
        """What begins with `prefix`."""
        return {key: value for key, value in self.held.items() if key.startswith(prefix)}


def store(settings: Settings) -> Store:
    return cast(Store, settings)


# --- the record ----------------------------------------------------------------------------------

LOG = LogKey(ConversationId(b"c" * 32), ADA.device, EntryId(b"g" * 32))
LOG_2 = LOG._replace(conversation=ConversationId(b"d" * 32))


def run(first: int, last: int, until_ms: int = NOW + 1000, log: LogKey = LOG) -> Run:
    return Run(log, first, last, str(URL), until_ms)


@pytest.mark.parametrize(
    ("runs", "held", "first"),
    [
        ([], 0, 1),
        ([], 7, 8),
        ([run(1, 5)], 0, 6),
        ([run(1, 5)], 3, 6),
        ([run(1, 5)], 5, 6),
        ([run(1, 5)], 9, 10),
        ([run(1, 5), run(6, 9)], 0, 10),
        ([run(6, 9), run(1, 5)], 0, 10),
        ([run(1, 5), run(7, 9)], 0, 6),  # 7 to 9 are of no use without 6
        ([run(1, 5, NOW), run(6, 9)], 0, 1),  # nor are 6 to 9 once 1 to 5 have expired
        ([run(2, 5)], 0, 1),
        ([run(1, 5, log=LOG_2)], 0, 1),
        ([run(1, 5), run(1, 9)], 0, 10),
    ],
)
async def test_the_next_entry_is_the_first_that_neither_is_held_nor_waits(
    runs: list[Run], held: int, first: int
) -> None:
    record = MailRecord(store(Settings()))
    await record.note(BOB.device, runs, NOW - 10)
    assert record.next(BOB.device, LOG, held, NOW) == first
    assert record.next(ADA.device, LOG, held, NOW) == held + 1


async def test_the_record_outlives_a_restart_but_not_its_time() -> None:
    settings = Settings()
    record = MailRecord(store(settings))
    await record.note(BOB.device, [run(1, 5), run(1, 2, NOW + 10, LOG_2)], NOW)
    again = MailRecord(store(settings))
    await again.load(NOW + 10)
    assert again.next(BOB.device, LOG, 0, NOW + 10) == 6
    assert again.next(BOB.device, LOG_2, 0, NOW + 10) == 1
    third = MailRecord(store(settings))
    await third.load(NOW + 1000)
    assert third.next(BOB.device, LOG, 0, NOW) == 1
    assert settings.held == {}


async def test_a_record_that_cannot_be_read_is_forgotten() -> None:
    settings = Settings()
    settings.held = {
        "mail.put." + BOB.device.hex(): '[["zz"]]',
        "mail.put.x": "[]",
        "mail.put." + ADA.device.hex(): "{",
    }
    await MailRecord(store(settings)).load(NOW)
    assert settings.held == {}


async def test_the_record_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_record, "MAX_DEVICES", 3)
    monkeypatch.setattr(mail_record, "MAX_ROWS", 4)
    settings = Settings()
    record = MailRecord(store(settings))
    for number in range(5):
        device = DeviceId(bytes([number]) * 32)
        for first in range(1, 10):
            await record.note(device, [run(first, first)], NOW)
    assert sorted(settings.held) == [f"mail.put.{bytes([n]).hex() * 32}" for n in (2, 3, 4)]
    assert all(value.count("wss:") == 4 for value in settings.held.values())


async def test_it_says_where_an_entry_waits_and_until_when() -> None:
    record = MailRecord(store(Settings()))
    await record.note(BOB.device, [run(3, 5)], NOW)
    for sequence, waits in ((2, False), (3, True), (5, True), (6, False)):
        [*found] = record.sealed([ADA.device, BOB.device], LOG, sequence, NOW)
        assert [one.device for one in found] == ([BOB.device] if waits else [])
    assert record.sealed([ADA.device], LOG, 4, NOW) == ()
    assert record.sealed([BOB.device], LOG, 4, NOW + 1000) == ()


# --- leave ---------------------------------------------------------------------------------------


class FakeLink:
    """The other end, and what it was sent."""

    def __init__(self, device: DeviceId) -> None:
        self.device = device
        self.sent: list[frames.MailGrants] = []

    def send(self, frame: frames.MailGrants) -> None:
        """Keep a frame."""
        self.sent.append(frame)


def link(device: DeviceId) -> Link:
    return cast(Link, FakeLink(device))


def sent(to: Link) -> list[frames.MailGrants]:
    return cast(FakeLink, to).sent


class Grants:
    """Ada's grants, with a clock and settings."""

    def __init__(self) -> None:
        self.clock = HandClock(NOW * 1000)
        self.settings = Settings()
        self.grants = self.anew()

    def anew(self) -> MailGrants:
        """After a restart."""
        return MailGrants(lambda: ADA, store(self.settings), self.clock)

    def pass_s(self, seconds: int) -> None:
        """Time goes on."""
        self.clock.now_ms += seconds * 1000


def from_bob(url: ServerUrl = URL, until_s: int = NOW + GRANT_S, to: DeviceId = ADA.device) -> Any:
    return str(url), make_grant(BOB.device_key, to, until_s)


async def test_a_grant_of_a_linked_device_is_kept_until_it_ends() -> None:
    ada = Grants()
    row = from_bob()
    await ada.grants.take(link(BOB.device), frames.MailGrants((row,)))
    again = ada.anew()
    await again.load()
    for grants in (ada.grants, again):
        assert grants.devices() == [BOB.device]
        assert grants.grant_of(BOB.device, URL) == row[1]
        assert grants.grant_of(BOB.device, OTHER) is None
    ada.pass_s(GRANT_S)
    assert again.grant_of(BOB.device, URL) is None


async def test_the_newest_frame_replaces_those_before() -> None:
    ada = Grants()
    bob = link(BOB.device)
    await ada.grants.take(bob, frames.MailGrants((from_bob(), from_bob(OTHER))))
    await ada.grants.take(bob, frames.MailGrants((from_bob(OTHER),)))
    assert ada.grants.grant_of(BOB.device, URL) is None
    assert ada.grants.grant_of(BOB.device, OTHER) is not None
    await ada.grants.take(bob, frames.MailGrants(()))
    assert ada.grants.devices() == []
    assert ada.settings.held == {}


@pytest.mark.parametrize(
    "row",
    [
        from_bob(to=BOB.device),
        (str(URL), make_grant(ADA.device_key, ADA.device, NOW + 60)),
        (str(URL), b"\x94"),
        (str(URL), from_bob()[1][:-1] + bytes([from_bob()[1][-1] ^ 1])),
        ("http://a/b", from_bob()[1]),
    ],
)
async def test_a_grant_of_or_for_somebody_else_ends_the_link(row: tuple[str, bytes]) -> None:
    ada = Grants()
    with pytest.raises(PeerError):
        await ada.grants.take(link(BOB.device), frames.MailGrants((row,)))
    assert ada.grants.devices() == []


async def test_the_grant_that_a_server_refuses_is_forgotten() -> None:
    ada = Grants()
    bob = link(BOB.device)
    await ada.grants.take(bob, frames.MailGrants((from_bob(), from_bob(OTHER))))
    await ada.grants.forget(BOB.device, URL)
    again = ada.anew()
    await again.load()
    assert again.grant_of(BOB.device, URL) is None
    assert again.grant_of(BOB.device, OTHER) is not None


async def test_grants_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_grants, "MAX_GRANTERS", 2)
    ada = Grants()
    names = ["Bob", "Cyd", "Dan"]
    for number, name in enumerate(names):
        keys = keyring_of(name)
        row = (str(URL), make_grant(keys.device_key, ADA.device, NOW + 1000 + number))
        await ada.grants.take(link(keys.device), frames.MailGrants((row,)))
    kept = {keyring_of(name).device for name in names[1:]}
    assert set(ada.grants.devices()) == kept
    assert len(ada.settings.held) == 2


def test_leave_is_given_once_and_anew_when_servers_change_or_half_its_time_is_over() -> None:
    ada = Grants()
    bob = link(BOB.device)
    ada.grants.give(bob, [])
    assert sent(bob) == []
    ada.grants.give(bob, [URL])
    ada.grants.give(bob, [URL])
    [frame] = sent(bob)
    [(url, grant)] = frame.rows
    read = read_grant(grant)
    assert (url, read.recipient, read.sender) == (str(URL), ADA.device, BOB.device)
    assert read.until_s == NOW + GRANT_S
    ada.grants.give(bob, [URL, OTHER])
    assert len(sent(bob)) == 2
    ada.pass_s(GRANT_S // 2 - 1)
    ada.grants.give(bob, [URL, OTHER])
    assert len(sent(bob)) == 2
    ada.pass_s(1)
    ada.grants.give(bob, [URL, OTHER])
    assert len(sent(bob)) == 3
    ada.grants.link_up(bob)
    ada.grants.give(bob, [URL, OTHER])
    assert len(sent(bob)) == 4
    ada.grants.give(bob, [])
    assert sent(bob)[-1].rows == ()


# --- the queue -----------------------------------------------------------------------------------


class Intake:
    """Ada's intake of garbage, which is all taken."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.intake = MailIntake(
            lambda: ADA, HpkeSealer(), TeamRegistry(ADA.person), self._store, self._taken
        )

    async def _store(self, _segments: Sequence[Segment], _device: DeviceId) -> list[Verdict]:
        raise EnvironmentFault("disk_full", "nothing valid comes here")

    def _taken(self, _url: ServerUrl, ids: Sequence[bytes]) -> None:
        self.taken.extend(ids)


async def test_what_does_not_fit_into_the_queue_is_left_for_another_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mail_intake, "MAX_QUEUED", 5)
    monkeypatch.setattr(mail_intake, "MAX_QUEUED_BYTES", 300)
    ada = Intake()
    for number in range(20):
        ada.intake.add(URL, bytes([number]) * 16, b"x" * 10)
        ada.intake.add(URL, bytes([number]) * 16, b"x" * 10)
    ada.intake.add(URL, b"large", b"x" * 260)
    task = asyncio.get_running_loop().create_task(ada.intake.run())
    async with asyncio.timeout(20):
        while len(ada.taken) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0)
    assert ada.taken == [bytes([number]) * 16 for number in range(5)]
    ada.intake.add(URL, b"large", b"x" * 290)
    ada.intake.add(URL, b"small", b"x" * 11)
    async with asyncio.timeout(20):
        while len(ada.taken) < 6:  # noqa: ASYNC110
            await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert ada.taken[5:] == [b"large"]
    task.cancel()


async def test_a_server_that_sends_without_end_is_slowed_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mail_intake, "WORK_BURST", 100.0)
    ada = Intake()
    for number in range(200):
        ada.intake.add(URL, bytes([number]) * 16, b"x")
    task = asyncio.get_running_loop().create_task(ada.intake.run())
    await asyncio.sleep(0.5)
    task.cancel()
    # Ten at once, then 500 / 10 in a second.
    assert 10 <= len(ada.taken) <= 50
