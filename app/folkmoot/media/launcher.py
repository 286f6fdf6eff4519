"""The parent's side of the media process: starts it, speaks with it, sees that it ends.

Imports nothing that works on sound or pictures. Refuses a child that says garbage, that does not
begin in time or that does not read: it is killed, and `ended` tells why, once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.media.memory import SharedMemory, make_memory
from folkmoot.media.pipe import LENGTH, frame, read_length
from folkmoot.services.media_port import (
    VERSION,
    AnyReport,
    Begin,
    Begun,
    Command,
    End,
    decode_report,
    encode,
)

BEGIN_S = 20.0
"""A busy computer with a cold disk takes half of it; one that is ended sooner begins cold again."""
END_S = 2.0
MAX_UNREAD_BYTES = 4 * 1024 * 1024
"""What may wait for a child that does not read; more, and it is killed."""
MAX_LOG_LINE_BYTES = 500
MAX_LOG_LINES_S = 20
"""Lines of the child's stderr that go to the log in one second."""
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
_FRUGAL = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_TRIM_THRESHOLD_": str(4 * 2**20),
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
}
"""Each call has threads of its own that encode and decode. By default glibc gives new threads up to
eight heaps a core, and each keeps what one call left in it: at its end up to 64 MiB that are free,
since after the first large pictures it gives back nothing below that. Other systems know no such
words."""
_log = logging.getLogger(__name__)


def program() -> list[str]:
    """How this very program is started once more, from source or from a frozen bundle."""
    frozen = bool(getattr(sys, "frozen", False))
    return [sys.executable] if frozen else [sys.executable, "-m", "folkmoot"]


def media_command(memory: str | None) -> list[str]:
    """The command line of a media process; `memory` is the place of the shared memory."""
    return [*program(), "media", *(["--memory", memory] if memory else [])]


class ProcessLauncher:
    """Implements `services.media_port.MediaLauncher`. `window`: pictures are to be shown."""

    def __init__(
        self,
        window: bool,
        *,
        command: Callable[[str | None], Sequence[str]] = media_command,
        is_replaced: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_replaced`: whether another version of the program is in the place of this one."""
        self._window = window
        self._command = command
        self._is_replaced = is_replaced

    async def launch(
        self, begin: Begin, take: Callable[[AnyReport], None], ended: Callable[[str], None]
    ) -> MediaProcess:
        """Start a media process and wait for its `Begun`. Raises `EnvironmentFault` ``no_media``,
        or ``updated`` if the one that does not begin is of another version.

        `take` and `ended` are called on the running loop, `take` first with `Begun`.
        """
        try:
            return await self._begin(begin, take, ended)
        except EnvironmentFault as fault:
            # One that speaks as we do serves us well, whatever its version.
            if self._is_replaced():
                raise _updated() from fault
            raise

    async def _begin(
        self, begin: Begin, take: Callable[[AnyReport], None], ended: Callable[[str], None]
    ) -> MediaProcess:
        try:
            memory = await asyncio.to_thread(make_memory) if self._window else None
        except OSError as error:
            raise _no_media(f"no memory for pictures ({error.strerror})") from error
        try:
            process = await self._start(memory)
        except OSError as error:
            raise _no_media(f"it could not be started ({error.strerror})") from error
        finally:
            if memory is not None:
                memory.close_handle()
        media = MediaProcess(process, None if memory is None else memory.view, take, ended)
        try:
            await media.begin(begin)
        except BaseException:
            await media.abandon()
            raise
        return media

    async def _start(self, memory: SharedMemory | None) -> asyncio.subprocess.Process:
        handles = [memory.handle] if memory is not None and memory.handle >= 0 else []
        return await asyncio.create_subprocess_exec(
            *self._command(None if memory is None else memory.place),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**_FRUGAL, **os.environ, "PYTHONUNBUFFERED": "1"},
            pass_fds=handles,
            creationflags=_NO_WINDOW,
        )


class MediaProcess:
    """One media process. Implements `services.media_port.Media`."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        memory: memoryview | None,
        take: Callable[[AnyReport], None],
        ended: Callable[[str], None],
    ) -> None:
        self._process = process
        self._memory = memory
        self._take = take
        self._ended: Callable[[str], None] | None = ended
        self._begun: asyncio.Future[Begun] = asyncio.get_running_loop().create_future()
        self._reason = ""
        self._over = False
        self._log_reader = asyncio.create_task(self._follow_log())
        self._reader = asyncio.create_task(self._follow())

    @property
    def memory(self) -> memoryview | None:
        """The shared memory of `frame_slots`; None without a window."""
        return self._memory

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    async def begin(self, begin: Begin) -> None:
        """Say `begin` and wait for the answer. Raises `EnvironmentFault` ``no_media``."""
        self.send(begin)
        try:
            async with asyncio.timeout(BEGIN_S):
                begun = await asyncio.shield(self._begun)
        except TimeoutError:
            raise _no_media(f"it did not begin within {BEGIN_S:.0f} seconds") from None
        if begun.version != VERSION:
            raise _no_media(f"it speaks version {begun.version}, not {VERSION}")

    def send(self, command: Command) -> None:
        """Queue a command; never blocks. After the end it is dropped."""
        pipe = self._process.stdin
        if self._over or pipe is None or pipe.is_closing():
            return
        if pipe.transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            self._kill("It did not read what it was told.")
            return
        pipe.write(frame(encode(command)))

    async def aclose(self) -> None:
        """Say `End`, wait two seconds, then kill it. `ended` is told if it was not yet."""
        self.send(End())
        if self._process.stdin is not None:
            self._process.stdin.close()
        if not await self._wait(END_S):
            self._kill("It did not end when it was told to.")
            await self._wait(END_S)
        await asyncio.gather(self._reader, self._log_reader, return_exceptions=True)

    async def abandon(self) -> None:
        """Kill a process that did not begin; `ended` is not told."""
        self._ended = None
        self._kill("It did not begin.")
        await asyncio.gather(self._reader, self._log_reader, return_exceptions=True)

    async def _wait(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._reader)
        except TimeoutError:
            return False
        return True

    def _kill(self, reason: str) -> None:
        self._over = True
        self._reason = self._reason or reason
        with suppress(ProcessLookupError):
            self._process.kill()

    async def _follow(self) -> None:
        """Hand reports on until the process is gone, then tell the end."""
        reading = self._process.stdout
        assert reading is not None
        loop = asyncio.get_running_loop()
        try:
            while not self._over:
                length = read_length(await reading.readexactly(LENGTH.size))
                report = decode_report(await reading.readexactly(length))
                self._note_begun(report)
                # Handed on by the loop: what goes wrong there is no fault of the process.
                loop.call_soon(self._hand_on, report)
        except asyncio.IncompleteReadError:
            pass
        except (PeerError, OSError) as error:
            self._kill(f"It said garbage: {error}")
        await self._finish(loop)

    def _hand_on(self, report: AnyReport) -> None:
        if self._ended is not None:
            self._take(report)

    def _note_begun(self, report: AnyReport) -> None:
        if self._begun.done():
            return
        if not isinstance(report, Begun):
            raise PeerError("bad_message", "Its first message is not “begun”.")
        self._begun.set_result(report)

    async def _finish(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(END_S):
                status = await self._process.wait()
        except TimeoutError:
            self._kill("It closed its pipe and did not end.")
            status = await self._process.wait()
        self._over = True
        reason = self._reason or ("" if status == 0 else f"It ended with status {status}.")
        if not self._begun.done():
            self._begun.set_exception(_no_media(reason.rstrip(".") or "it ended at once"))
        if self._begun.exception() is None:
            loop.call_soon(self._tell_end, reason)

    def _tell_end(self, reason: str) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(reason)

    async def _follow_log(self) -> None:
        """Write the child's stderr to the log, bounded in length and rate."""
        reading = self._process.stderr
        assert reading is not None
        loop = asyncio.get_running_loop()
        lines, second, rest = 0, 0, b""
        while part := await reading.read(4096):
            *whole, rest = (rest + part).split(b"\n")
            rest = rest[: MAX_LOG_LINE_BYTES + 1]
            for line in whole:
                if int(loop.time()) != second:
                    lines, second = 0, int(loop.time())
                lines += 1
                if lines <= MAX_LOG_LINES_S and line.strip():
                    _log.warning("media: %s", _as_text(line))
        if rest.strip():
            _log.warning("media: %s", _as_text(rest))


def _as_text(line: bytes) -> str:
    text = line[:MAX_LOG_LINE_BYTES].decode("utf-8", "replace").rstrip()
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _no_media(what: str) -> EnvironmentFault:
    return EnvironmentFault(
        "no_media",
        f"The process for sound and pictures cannot run: {what}.",
        "Try again; if it stays so, restart Folkmoot.",
    )


def _updated() -> EnvironmentFault:
    return EnvironmentFault(
        "updated",
        "Folkmoot was updated, and a new call needs the new version.",
        "Restart Folkmoot.",
    )
