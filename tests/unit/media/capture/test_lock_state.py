"""The screen is locked, where a system is asked whether it is."""

from __future__ import annotations

import struct
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from folkmoot.media.capture import guard
from folkmoot.media.capture.guard import Guarded
from folkmoot.media.capture.lock_state import LockPoll, question, read_session_info
from folkmoot.media.capture.page import Page
from folkmoot.media.capture.source import ShareEnded

SOON_S = 30.0


def _poll(answers: list[bool]) -> tuple[LockPoll, threading.Semaphore, threading.Event]:
    told, asked_all = threading.Semaphore(0), threading.Event()
    left: Iterator[bool] = iter(answers)

    def ask() -> bool:
        answer = next(left, None)
        if answer is None:
            asked_all.set()
            return False
        return answer

    return LockPoll(told.release, ask, 0.001), told, asked_all


def test_each_lock_is_told_once() -> None:
    poll, told, asked_all = _poll([False, True, True, False, True])
    assert asked_all.wait(SOON_S)
    poll.close()
    assert [told.acquire(blocking=False) for _ in range(3)] == [True, True, False]


def test_a_system_that_cannot_be_asked_is_left_alone() -> None:
    threads = threading.active_count()
    ended = threading.Event()

    def ask() -> bool:
        ended.set()
        raise OSError("no such library")

    poll = LockPoll(lambda: pytest.fail("nobody knows that"), ask, 0.001)
    assert ended.wait(SOON_S)
    poll.close()
    assert threading.active_count() <= threads + 1


@pytest.mark.parametrize(("flags", "locked"), [(0, True), (1, False), (-1, False)])
def test_what_windows_says_of_a_session_is_read(flags: int, locked: bool) -> None:
    told = struct.pack("<I4xIIi200x", 1, 3, 0, flags)
    assert read_session_info(told) is locked


def test_another_level_says_nothing() -> None:
    assert not read_session_info(struct.pack("<I4xIIi200x", 2, 3, 0, 0))


def test_where_a_bus_says_it_nobody_is_asked() -> None:
    assert (question() is None) is (sys.platform not in ("win32", "darwin"))


def test_a_share_ends_when_the_system_says_that_it_is_locked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = threading.Event()

    def ask() -> bool:
        asked.set()
        return True

    monkeypatch.setattr(guard, "question", lambda: ask)
    monkeypatch.setattr(guard, "LockPoll", lambda locked, ask: LockPoll(locked, ask, 0.001))
    source = Guarded(Page("still"))
    assert asked.wait(SOON_S)
    with pytest.raises(ShareEnded, match="locked"):
        _attend(source)
    source.close()


def _attend(source: Guarded) -> None:
    """Until it ends: the thread that asked tells it a moment after it was answered."""
    end = time.monotonic() + SOON_S
    while (now := time.monotonic()) < end:
        source.attend(now)
