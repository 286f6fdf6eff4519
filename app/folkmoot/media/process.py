"""The media process: protects its pipe, waits for `Begin`, gives each thread its part, ends.

The main thread is Qt's when devices are used, and waits otherwise; the loop has a thread. Refuses a
parent that says garbage: it ends with a line on stderr. When the pipe closes it ends, whatever else
goes on, so that no orphan keeps a microphone open.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import importlib.util
import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, NoReturn

from folkmoot.domain.errors import PeerError
from folkmoot.media.memory import open_memory
from folkmoot.media.pipe import ChildPipe
from folkmoot.services.media_port import VERSION, AnyCommand, Begin, Begun, DevicesListed

if TYPE_CHECKING:
    from folkmoot.media.session import Session

END_S = 1.5
"""How long the parts may take to end; then the process ends without them."""
CRASHED, GARBAGE = 1, 3


def run_media(memory: str | None) -> int:
    """Be the media process until the parent says so or is gone; the exit status.

    `memory` is the place of the shared memory as `media.memory` writes it, None without a window.
    """
    sink = _protect_output()
    faulthandler.enable()
    # Ctrl-C in a terminal reaches every process of it; the node says when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loading = threading.Thread(target=_load, name="loading", daemon=True)
    loading.start()
    process = _Process(ChildPipe(0, sink), memory)
    try:
        begin = process.wait_for_begin()
    except PeerError as error:
        _say(f"The node says garbage: {error.message}")
        _leave(GARBAGE)
    if begin is None:
        _leave(0)
    # Two threads that import the same modules from two ends would see half of them.
    loading.join()
    return process.run(begin)


def _leave(status: int) -> NoReturn:
    """End now: a thread may still import, or wait for a device that does not answer."""
    sys.stderr.flush()
    os._exit(status)


def _protect_output() -> int:
    """Take descriptor 1 away from libraries that print; return where reports go."""
    sink = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    if sys.platform == "win32":
        import msvcrt

        for handle in (0, sink):
            msvcrt.setmode(handle, os.O_BINARY)
    return sink


def _load() -> None:
    """Import what takes long while the parent's first message is on its way.

    No garbage is looked for meanwhile, and never among what was imported: that costs a tenth of it.
    """
    gc.disable()
    from folkmoot.media.session import warm_up

    warm_up()
    gc.freeze()
    gc.enable()


class _Process:
    """The threads of the process, and why it ends."""

    def __init__(self, pipe: ChildPipe, memory: str | None) -> None:
        self._pipe = pipe
        self._memory = memory
        self._status = 0
        self._over = threading.Event()
        self._devices = False
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: Session | None = None
        self._early: list[AnyCommand] = []
        self._listed: DevicesListed | None = None
        self._wrong: asyncio.Future[None] | None = None

    def wait_for_begin(self) -> Begin | None:
        """The first message; None when the parent is gone. Raises `PeerError`."""
        command = self._pipe.read()
        if command is None:
            return None
        if not isinstance(command, Begin):
            raise PeerError("bad_message", "Its first message is not “begin”.")
        if command.version != VERSION:
            raise PeerError("bad_message", f"It speaks version {command.version}, not {VERSION}.")
        return command

    def run(self, begin: Begin) -> NoReturn:
        """Work until the end, and end the process."""
        self._devices = begin.devices
        self._pipe.follow(self._take, self._parent_ended)
        thread = threading.Thread(target=self._run_loop, args=(begin,), name="loop", daemon=True)
        thread.start()
        if begin.devices:
            self._run_qt()
        self._over.wait()
        thread.join(END_S)
        self._pipe.close()
        _leave(self._status)

    def _run_qt(self) -> None:
        from folkmoot.media.devices.qt import DeviceWatcher, run_qt

        watchers: list[DeviceWatcher] = []

        def begin() -> None:
            watchers.append(DeviceWatcher(self._devices_changed))
            if self._over.is_set():
                self._leave_qt()

        run_qt(begin)
        watchers.clear()

    def _devices_changed(self, devices: DevicesListed) -> None:
        with self._lock:
            self._listed = devices
            if self._loop is None:  # it is told after `Begun`
                return
        self._pipe.send(devices)

    def _leave_qt(self) -> None:
        if self._devices:
            from folkmoot.media.devices.qt import leave_qt

            leave_qt()

    def _finish(self, status: int) -> None:
        self._status = self._status or status
        self._over.set()
        self._leave_qt()

    # --- the loop's thread

    def _run_loop(self, begin: Begin) -> None:
        try:
            asyncio.run(self._serve(begin))
        except PeerError as error:
            _say(f"The node says garbage: {error.message}")
            self._finish(GARBAGE)
        except BaseException:  # noqa: BLE001 - the process ends, and says why
            traceback.print_exc()
            self._finish(CRASHED)
        else:
            self._finish(0)

    async def _serve(self, begin: Begin) -> None:
        from folkmoot.media import private
        from folkmoot.media.receive import opus
        from folkmoot.media.session import Session

        private.prepare()
        opus.load()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_note_exception)
        memory = None if self._memory is None else open_memory(self._memory)
        session = Session(begin, self._pipe.send, memory)
        wrong: asyncio.Future[None] = loop.create_future()
        self._wrong = wrong
        self._pipe.send(Begun(VERSION, find_echo_canceller()))
        with self._lock:
            self._loop, self._session = loop, session
            early, self._early = self._early, []
            if self._listed is not None:
                self._pipe.send(self._listed)
        for command in early:
            self._do(command)
        await session.run()
        if wrong.done():
            wrong.result()

    def _do(self, command: AnyCommand) -> None:
        session = self._session
        assert session is not None
        try:
            session.take(command)
        except PeerError as error:
            if self._wrong is not None and not self._wrong.done():
                self._wrong.set_exception(error)
            session.end.set()

    # --- the pipe's thread

    def _take(self, command: AnyCommand) -> None:
        with self._lock:
            if self._loop is None:
                self._early.append(command)
                return
        self._call(command)

    def _call(self, command: AnyCommand) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._do, command)

    def _parent_ended(self, why: str) -> None:
        if why:
            _say(f"The node says garbage: {why}")
            self._status = self._status or GARBAGE
        with self._lock:
            loop, session = self._loop, self._session
        if loop is not None and session is not None and not loop.is_closed():
            loop.call_soon_threadsafe(session.end.set)
        else:
            self._finish(0)
        threading.Timer(2 * END_S, os._exit, (self._status,)).start()


def find_echo_canceller() -> str:
    """``livekit``, ``speex`` or empty: what is installed here."""
    for module, name in (("livekit", "livekit"), ("pyaec", "speex")):
        if importlib.util.find_spec(module) is not None:
            return name
    return ""


def _note_exception(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """What a task of a library left behind: a line, no end."""
    error = context.get("exception")
    _say(f"{context.get('message', 'An error')}: {error!r}")


def _say(words: str) -> None:
    sys.stderr.write(f"{words[:400]}\n")
    sys.stderr.flush()
