"""A command asks the running program: answered to this account only, bounded, and nothing stays."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from folkmoot.system import asking
from folkmoot.system.asking import Asked, ask
from folkmoot.system.profile import Profile

BOTH = pytest.mark.parametrize("loopback", [False, True], ids=["socket file", "loopback port"])


@asynccontextmanager
async def answering(folder: Path, *, loopback: bool = False) -> AsyncIterator[Profile]:
    """A program that says what it was asked."""
    profile = Profile(folder)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)

    async def answer(question: str) -> bytes:
        return f"you asked “{question}”".encode()

    asked = Asked(profile, answer, loopback=loopback)
    await asked.listen()
    try:
        yield profile
    finally:
        await asked.aclose()


@BOTH
async def test_a_question_is_answered_and_the_place_is_free_again(
    tmp_path: Path, loopback: bool
) -> None:
    async with answering(tmp_path, loopback=loopback) as profile:
        assert await ask(profile, "doctor", loopback=loopback) == "you asked “doctor”".encode()
    assert await ask(profile, "doctor", loopback=loopback) is None
    assert not asking._place(profile, loopback).exists()


async def test_what_a_killed_program_left_is_replaced(tmp_path: Path) -> None:
    async with answering(tmp_path) as profile:
        place = asking._place(profile, loopback=False)
        kept = await asyncio.to_thread(place.rename, place.with_name("kept"))
    await asyncio.to_thread(kept.rename, place)
    assert await ask(profile, "doctor") is None
    async with answering(tmp_path) as profile:
        assert await ask(profile, "doctor")


async def test_a_profile_far_down_has_its_socket_in_a_folder_of_its_own(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    async with answering(deep) as profile:
        place = asking._place(profile, loopback=False)
        assert len(str(place)) < 100
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
        assert await ask(profile, "doctor")
    place.parent.rmdir()


async def test_only_this_account_may_open_the_socket(tmp_path: Path) -> None:
    async with answering(tmp_path) as profile:
        place = asking._place(profile, loopback=False)
        assert stat.S_IMODE(place.stat().st_mode) == 0o600


async def test_without_the_key_nothing_is_answered(tmp_path: Path) -> None:
    async with answering(tmp_path, loopback=True) as profile:
        port, key = asking._place(profile, loopback=True).read_text().split()
        for said in (
            b"- doctor\n",
            b"doctor\n",
            f"{key[:-1]}x doctor\n".encode(),
            b"GET / HTTP/1.1\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
            writer.write(said)
            assert await asyncio.wait_for(reader.read(), 20) == b""
            writer.close()
        assert stat.S_IMODE(asking._place(profile, loopback=True).stat().st_mode) == 0o600


async def test_a_question_without_end_and_too_many_at_once_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "QUESTION_S", 60.0)  # those who wait shall not be sent away
    async with answering(tmp_path) as profile:
        place = str(asking._place(profile, loopback=False))
        reader, writer = await asyncio.open_unix_connection(place)
        writer.write(b"- " + b"x" * 10_000)
        assert await asyncio.wait_for(reader.read(), 20) == b""
        waiting = [await asyncio.open_unix_connection(place) for _ in range(asking.MAX_ASKERS)]
        await asyncio.sleep(0.05)
        assert await ask(profile, "doctor") is None
        for _, each in (*waiting, (reader, writer)):
            each.close()


async def test_nobody_to_ask_is_no_answer(tmp_path: Path) -> None:
    assert await ask(Profile(tmp_path), "doctor") is None
    assert await ask(Profile(tmp_path), "doctor", loopback=True) is None
