"""The parent's side of the media process, against children that behave and that do not."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.media import launcher
from folkmoot.media.launcher import ProcessLauncher, media_command
from folkmoot.services.frame_slots import newest
from folkmoot.services.media_port import (
    SELF,
    VERSION,
    AnyReport,
    Begin,
    Begun,
    PictureChanged,
    SetPeer,
)

_BEGIN = Begin(VERSION, devices=False)
_PRELUDE = """
import os, struct, sys, time
from folkmoot.services.media_port import *
def read():
    head = os.read(0, 4)
    if len(head) < 4: sys.exit(0)
    left, data = struct.unpack('>I', head)[0], b''
    while len(data) < left: data += os.read(0, left - len(data))
    return decode_command(data)
def say(report):
    data = encode(report)
    os.write(1, struct.pack('>I', len(data)) + data)
def begin():
    assert isinstance(read(), Begin)
    say(Begun(VERSION, 'speex'))
"""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still must not end a child that behaves."""
    monkeypatch.setattr(launcher, "END_S", 30.0)
    monkeypatch.setattr(launcher, "BEGIN_S", 60.0)


def _child(script: str) -> Callable[[str | None], Sequence[str]]:
    return lambda memory: [sys.executable, "-c", _PRELUDE + script, memory or ""]


class _Taker:
    """Keeps what a launcher tells."""

    def __init__(self) -> None:
        self.reports: list[AnyReport] = []
        self.ends: list[str] = []
        self.came = asyncio.Event()
        self.over = asyncio.Event()

    def take(self, report: AnyReport) -> None:
        self.reports.append(report)
        if len(self.reports) > 1:
            self.came.set()

    def ended(self, reason: str) -> None:
        self.ends.append(reason)
        self.over.set()


async def _launch(script: str, taker: _Taker, *, window: bool = False) -> launcher.MediaProcess:
    starting = ProcessLauncher(window, command=_child(script))
    return await starting.launch(_BEGIN, taker.take, taker.ended)


async def test_a_child_begins_reports_and_ends_when_it_is_told() -> None:
    taker = _Taker()
    media = await _launch("begin(); say(PictureChanged(b'', 4, 2)); read(); sys.exit(0)", taker)
    await taker.came.wait()
    await media.aclose()
    await taker.over.wait()
    assert taker.reports == [Begun(VERSION, "speex"), PictureChanged(SELF, 4, 2)]
    assert taker.ends == [""]


_CALL = """
import ctypes, pathlib, threading
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def resident_kb():
    status = pathlib.Path('/proc/self/status').read_text()
    return int(status.split('VmRSS:')[1].split()[0])
def call():
    libc.free(libc.malloc(31 << 20))  # a large picture: from now on glibc maps none by itself
    pictures = [libc.malloc(1 << 20) for _ in range(40)]
    for picture in pictures:
        ctypes.memset(picture, 1, 1 << 20)
    for picture in pictures:
        libc.free(picture)
begin()
before = resident_kb()
thread = threading.Thread(target=call)
thread.start()
thread.join()
say(PictureChanged(b'', max(0, resident_kb() - before), 0))
read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere is no glibc")
async def test_a_child_gives_back_what_the_thread_of_a_call_let_go() -> None:
    taker = _Taker()
    media = await _launch(_CALL, taker)
    await taker.came.wait()
    await media.aclose()
    told = taker.reports[1]
    assert isinstance(told, PictureChanged)
    assert told.width < 12_000  # kB, of 40 MiB


async def test_the_end_is_told_once_however_often_it_is_closed() -> None:
    taker = _Taker()
    media = await _launch("begin(); read()", taker)
    await media.aclose()
    await media.aclose()
    await taker.over.wait()
    media.send(SetPeer(b"x", 1.0))
    assert taker.ends == [""]


async def test_a_child_that_crashes_is_an_end_with_its_status() -> None:
    taker = _Taker()
    await _launch("begin(); os._exit(7)", taker)
    await taker.over.wait()
    assert taker.ends == ["It ended with status 7."]


@pytest.mark.parametrize(
    "garbage",
    [
        "os.write(1, b'hello, this is no message')",
        "os.write(1, struct.pack('>I', 3) + b'abc')",
        "os.write(1, struct.pack('>I', 2**31))",
        "os.write(1, struct.pack('>I', 0))",
    ],
)
async def test_a_child_that_says_garbage_is_killed(garbage: str) -> None:
    taker = _Taker()
    media = await _launch(f"begin(); {garbage}; time.sleep(60)", taker)
    await taker.over.wait()
    assert len(taker.ends) == 1
    assert taker.ends[0].startswith("It said garbage")
    with pytest.raises(ProcessLookupError):
        os.kill(media.pid, 0)


@pytest.mark.parametrize(
    "script",
    ["sys.exit(3)", "read(); say(PictureChanged(b'', 1, 1)); time.sleep(60)", "os._exit(0)"],
)
async def test_a_child_that_does_not_begin_is_no_media(script: str) -> None:
    taker = _Taker()
    with pytest.raises(EnvironmentFault) as caught:
        await _launch(script, taker)
    assert caught.value.code == "no_media"
    assert taker.ends == []


async def test_a_child_that_is_silent_is_no_media(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "BEGIN_S", 0.5)
    with pytest.raises(EnvironmentFault, match="did not begin"):
        await _launch("time.sleep(60)", _Taker())


async def test_a_child_of_another_version_is_no_media() -> None:
    with pytest.raises(EnvironmentFault, match="version 99"):
        await _launch("read(); say(Begun(99, '')); time.sleep(60)", _Taker())


async def test_a_command_that_cannot_be_started_is_no_media() -> None:
    starting = ProcessLauncher(False, command=lambda memory: ["/no/such/program"])
    with pytest.raises(EnvironmentFault) as caught:
        await starting.launch(_BEGIN, lambda report: None, lambda reason: None)
    assert caught.value.code == "no_media"


@pytest.mark.parametrize(
    "script", ["read(); say(Begun(99, ''))", "sys.exit(1)"], ids=["another version", "refuses us"]
)
async def test_a_child_of_another_version_that_was_installed_meanwhile_asks_for_a_restart(
    script: str,
) -> None:
    starting = ProcessLauncher(False, command=_child(script), is_replaced=lambda: True)
    with pytest.raises(EnvironmentFault) as caught:
        await starting.launch(_BEGIN, lambda report: None, lambda reason: None)
    assert (caught.value.code, caught.value.hint) == ("updated", "Restart Folkmoot.")


async def test_a_child_of_another_version_that_speaks_as_we_do_serves_us() -> None:
    taker = _Taker()
    starting = ProcessLauncher(
        False, command=_child("begin(); read(); sys.exit(0)"), is_replaced=lambda: True
    )
    media = await starting.launch(_BEGIN, taker.take, taker.ended)
    await media.aclose()
    await taker.over.wait()
    assert taker.ends == [""]


async def test_a_child_that_does_not_read_is_killed() -> None:
    taker = _Taker()
    media = await _launch("begin(); time.sleep(60)", taker)
    large = SetPeer(bytes(32), 1.0)
    assert media._process.stdin is not None
    buffer = media._process.stdin.transport.get_write_buffer_size
    most = 0
    while not taker.over.is_set():
        for _ in range(20_000):
            media.send(large)
        most = max(most, buffer())
        await asyncio.sleep(0)
    assert taker.ends == ["It did not read what it was told."]
    assert most < launcher.MAX_UNREAD_BYTES + 1000


async def test_a_child_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "END_S", 0.3)
    taker = _Taker()
    media = await _launch("begin(); time.sleep(60)", taker)
    await media.aclose()
    await taker.over.wait()
    assert taker.ends == ["It did not end when it was told to."]


async def test_what_a_child_writes_to_stderr_is_logged_and_bounded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    taker = _Taker()
    script = (
        "begin(); sys.stderr.write('oh\\x1b[2Jdear\\n' + 'x' * 9000 + '\\n' + 'line\\n' * 5000)"
    )
    began = time.monotonic()
    media = await _launch(script, taker)
    await taker.over.wait()
    await media.aclose()
    seconds = time.monotonic() - began
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "media: oh\N{REPLACEMENT CHARACTER}[2Jdear"
    assert all(len(line) <= launcher.MAX_LOG_LINE_BYTES + 10 for line in lines)
    assert len(lines) <= (2 + int(seconds)) * launcher.MAX_LOG_LINES_S < 5000


async def test_the_memory_is_shared() -> None:
    taker = _Taker()
    script = (
        "from folkmoot.media.memory import open_memory\n"
        "from folkmoot.services.frame_slots import SlotWriter\n"
        "writer = SlotWriter(open_memory(sys.argv[1]), 3)\n"
        "begin(); writer.begin(2, 1)[:] = b'ABCDEFGH'; writer.end(2, 1, 5, 6)\n"
        "say(PictureChanged(b'', 2, 1)); read()"
    )
    media = await _launch(script, taker, window=True)
    await taker.came.wait()
    assert media.memory is not None
    picture = newest(media.memory, 3)
    assert picture is not None
    assert bytes(picture.pixels) == b"ABCDEFGH"
    await media.aclose()


async def test_without_a_window_there_is_no_memory() -> None:
    media = await _launch("begin(); read()", _Taker())
    assert media.memory is None
    await media.aclose()


def test_it_works_on_a_loop_in_another_thread() -> None:
    ends: list[list[str]] = []

    async def work() -> None:
        taker = _Taker()
        media = await _launch("begin(); read()", taker, window=True)
        await media.aclose()
        await taker.over.wait()
        ends.append(taker.ends)

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    thread.join(30)
    assert ends == [[""]]


def test_a_frozen_program_starts_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert media_command(None) == [sys.executable, "-m", "folkmoot", "media"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert media_command("fd:5") == [sys.executable, "media", "--memory", "fd:5"]


def test_the_launcher_loads_nothing_that_works_on_sound_or_pictures() -> None:
    script = "import sys, folkmoot.media.launcher as _; print(*sys.modules)"
    loaded = os.popen(f'{sys.executable} -c "{script}"').read().split()
    assert "folkmoot.media.launcher" in loaded
    assert not {"av", "aiortc", "PySide6", "numpy"} & set(loaded)


async def test_a_report_that_cannot_be_taken_does_not_stop_the_reports() -> None:
    taker = _Taker()
    problems: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: problems.append(context["exception"]))

    def take(report: AnyReport) -> None:
        taker.take(report)
        raise KeyError("a bug of whoever takes it")

    starting = ProcessLauncher(False, command=_child("begin(); say(PictureChanged(b'', 1, 1))"))
    await starting.launch(_BEGIN, take, taker.ended)
    await taker.over.wait()
    assert len(taker.reports) == len(problems) == 2
