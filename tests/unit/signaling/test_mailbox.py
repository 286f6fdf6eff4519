"""The mailbox: order, time, each quota, the same letter twice; in memory and in a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from folkmoot.domain.ids import DeviceId
from folkmoot_signaling.mailbox import (
    MAX_KEEP_S,
    MIN_KEEP_S,
    Letter,
    MailBook,
    Mailbox,
    MailLimits,
    MemoryMailbox,
    Receipt,
)
from folkmoot_signaling.mailbox_file import FileMailbox

A, B, C, D = (DeviceId(bytes([n]) * 32) for n in (1, 2, 3, 4))
WIDE = MailLimits(*([10**9] * 10))


def id_(n: int) -> bytes:
    return n.to_bytes(16, "big")


class Time:
    """Unix seconds that only the test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


Make = Callable[[MailLimits], "asyncio.Future[Mailbox]"]


@pytest.fixture(params=["memory", "file"])
async def make(request: pytest.FixtureRequest, time: Time, tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Mailbox] = []

    async def one(limits: MailLimits) -> Mailbox:
        mailbox: Mailbox
        if request.param == "memory":
            mailbox = MemoryMailbox(limits, time)
        else:
            mailbox = await FileMailbox.open(tmp_path / f"{len(made)}.mail", limits, time)
        made.append(mailbox)
        return mailbox

    yield one  # type: ignore[misc]
    for mailbox in made:
        await mailbox.aclose()


async def everything(mailbox: Mailbox, recipient: DeviceId) -> list[bytes]:
    """What waits, taken page by page."""
    found: list[bytes] = []
    after = 0
    while page := await mailbox.waiting(recipient, after, 1):
        assert len(page) == 1
        found.append(page[0].sealed)
        after = page[-1].number
    return found


async def test_letters_are_delivered_in_order_of_arrival_until_they_are_taken(make: Make) -> None:
    mailbox = await make(WIDE)
    for n in range(5):
        sender = A if n % 2 else C
        assert (await mailbox.put(B, sender, "x", id_(n), b"%d" % n, 600)).kept_s == 600
    assert await everything(mailbox, B) == [b"0", b"1", b"2", b"3", b"4"]
    await mailbox.taken(B, [id_(1), id_(3), id_(99)])
    assert await everything(mailbox, B) == [b"0", b"2", b"4"]
    assert mailbox.usage() == (3, 3)
    await mailbox.taken(B, [id_(0), id_(2), id_(4)])
    assert await everything(mailbox, B) == []
    assert mailbox.usage() == (0, 0)


async def test_only_the_recipient_sees_and_takes_its_letters(make: Make) -> None:
    mailbox = await make(WIDE)
    await mailbox.put(B, A, "x", id_(1), b"for B", 600)
    assert await everything(mailbox, C) == []
    await mailbox.taken(C, [id_(1)])
    await mailbox.taken(A, [id_(1)])
    assert await everything(mailbox, B) == [b"for B"]


async def test_a_page_is_as_large_as_was_asked_and_never_empty(make: Make) -> None:
    mailbox = await make(WIDE)
    for n in range(4):
        await mailbox.put(B, A, "x", id_(n), bytes(1000), 600)
    assert len(await mailbox.waiting(B)) == 4
    assert [x.id for x in await mailbox.waiting(B, 0, 2500)] == [id_(0), id_(1)]
    assert len(await mailbox.waiting(B, 0, 10)) == 1


@pytest.mark.parametrize(
    ("asked_s", "longest_s", "kept_s"),
    [
        (0, MAX_KEEP_S, MIN_KEEP_S),
        (3600, MAX_KEEP_S, 3600),
        (10**12, MAX_KEEP_S, MAX_KEEP_S),
        (MAX_KEEP_S, 7200, 7200),
        (MAX_KEEP_S, 10**9, MAX_KEEP_S),
        (10, 0, MIN_KEEP_S),
    ],
)
async def test_it_is_kept_as_long_as_asked_within_bounds(
    make: Make, time: Time, asked_s: int, longest_s: int, kept_s: int
) -> None:
    mailbox = await make(replace(WIDE, keep_s=longest_s))
    assert await mailbox.put(B, A, "x", id_(1), b"1", asked_s) == Receipt(kept_s)
    time.now += kept_s - 1
    assert len(await mailbox.waiting(B)) == 1
    time.now += 1
    assert await mailbox.waiting(B) == []
    time.now += 61
    assert mailbox.usage() == (0, 0)


async def test_the_same_letter_again_is_kept_once_and_not_longer(make: Make, time: Time) -> None:
    mailbox = await make(WIDE)
    assert await mailbox.put(B, A, "x", id_(1), b"first", 3600) == Receipt(3600)
    time.now += 100
    assert await mailbox.put(B, A, "x", id_(1), b"other", MAX_KEEP_S) == Receipt(3500)
    assert await everything(mailbox, B) == [b"first"]
    assert mailbox.usage() == (1, 5)


async def test_the_same_id_of_another_sender_or_for_another_is_another_letter(make: Make) -> None:
    mailbox = await make(WIDE)
    await mailbox.put(B, A, "x", id_(1), b"A to B", 600)
    await mailbox.put(B, C, "x", id_(1), b"C to B", 600)
    await mailbox.put(D, A, "x", id_(1), b"A to D", 600)
    assert await everything(mailbox, B) == [b"A to B", b"C to B"]
    assert await everything(mailbox, D) == [b"A to D"]


async def test_an_expired_letter_may_be_put_again(make: Make, time: Time) -> None:
    mailbox = await make(WIDE)
    await mailbox.put(B, A, "x", id_(1), b"old", 600)
    time.now += 600
    assert await mailbox.put(B, A, "x", id_(1), b"new", 600) == Receipt(600)
    assert await everything(mailbox, B) == [b"new"]
    assert mailbox.usage() == (1, 3)


@pytest.mark.parametrize("size", [0, 49_153])
async def test_an_envelope_of_a_wrong_size_is_refused(make: Make, size: int) -> None:
    mailbox = await make(WIDE)
    assert await mailbox.put(B, A, "x", id_(1), bytes(size), 600) == Receipt(0, "bad_message")


Put = tuple[DeviceId, DeviceId, str]
QUOTAS = [
    ("recipient_count", [(B, A, "x"), (B, C, "y"), (B, D, "z")], (C, D, "z")),
    ("recipient_bytes", [(B, A, "x"), (B, C, "y"), (B, D, "z")], (C, D, "z")),
    ("sender_count", [(B, A, "x"), (C, A, "y"), (D, A, "z")], (D, C, "z")),
    ("sender_bytes", [(B, A, "x"), (C, A, "y"), (D, A, "z")], (D, C, "z")),
    ("pair_count", [(B, A, "x"), (B, A, "y"), (B, A, "z")], (C, A, "z")),
    ("pair_bytes", [(B, A, "x"), (B, A, "y"), (B, A, "z")], (C, A, "z")),
    ("address_count", [(B, A, "x"), (C, B, "x"), (D, C, "x")], (D, C, "y")),
    ("address_bytes", [(B, A, "x"), (C, B, "x"), (D, C, "x")], (D, C, "y")),
    ("total_count", [(B, A, "x"), (C, B, "y"), (D, C, "z")], None),
    ("total_bytes", [(B, A, "x"), (C, B, "y"), (D, C, "z")], None),
]


@pytest.mark.parametrize(("limit", "puts", "other"), QUOTAS, ids=[row[0] for row in QUOTAS])
async def test_each_quota_refuses_the_third_and_makes_room_when_one_is_gone(
    make: Make, time: Time, limit: str, puts: list[Put], other: Put | None
) -> None:
    most = 2 if limit.endswith("count") else 250
    mailbox = await make(replace(WIDE, **{limit: most}))
    for n, (recipient, sender, address) in enumerate(puts):
        expected = Receipt(600) if n < 2 else Receipt(0, "mail_full")
        got = await mailbox.put(recipient, sender, address, id_(n), bytes(100), 600)
        assert got == expected
    assert mailbox.usage() == (2, 200)
    if other is not None:  # whom the quota does not concern
        got = await mailbox.put(*other, id_(7), bytes(100), 600)
        assert got == Receipt(600)
        await mailbox.taken(other[0], [id_(7)])
    recipient, sender, address = puts[2]
    await mailbox.taken(puts[0][0], [id_(0)])
    got = await mailbox.put(recipient, sender, address, id_(2), bytes(100), 600)
    assert got == Receipt(600)
    time.now += 700
    got = await mailbox.put(recipient, sender, address, id_(3), bytes(100), 600)
    assert got == Receipt(600)
    assert mailbox.usage() == (1, 100)


def test_every_quota_is_on_by_default_and_has_a_row_above() -> None:
    names = {name for name in MailLimits.__dataclass_fields__ if name != "keep_s"}
    assert names == {row[0] for row in QUOTAS}
    assert all(getattr(MailLimits(), name) > 0 for name in names)


def test_a_book_in_constant_use_holds_nothing_of_what_is_gone() -> None:
    book: MailBook[bytes] = MailBook(MailLimits())
    for n in range(2000):
        made = book.put(B, A, f"{n}", id_(n), b"x", 1, MAX_KEEP_S, 1000.0 + n)
        assert isinstance(made, Letter)
        assert book.taken(B, [id_(n)]) == [made]
    assert book.letters() == []
    assert not book._boxes
    assert not book._usages
    assert not book._ends
