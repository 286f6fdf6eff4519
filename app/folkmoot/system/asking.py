"""A command asks the program that runs on the same profile, over a local socket.

On Unix it is a socket that only this account may open. Windows has none that asyncio serves: there
it is a port of the loopback address, and a private file in the profile holds the port and a key
that must come first. One line is asked and one answer given. Refuses longer questions, more than a
few at once, and whoever lacks the key.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from folkmoot.domain.errors import FolkmootError
from folkmoot.system.profile import Profile, write_private

Answer = Callable[[str], Awaitable[bytes]]
MAX_QUESTION_BYTES = 200
MAX_ASKERS = 4
QUESTION_S = 2.0
ANSWER_S = 25.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_LONGEST_PATH = 100
"""A Unix socket's address holds 104 bytes where it holds least."""
_NAME = "ask"
_LOOPBACK = sys.platform == "win32"

_log = logging.getLogger(__name__)


class Asked:
    """Answers questions about the running program, from `listen` until `aclose`."""

    def __init__(self, profile: Profile, answer: Answer, *, loopback: bool = _LOOPBACK) -> None:
        self._profile = profile
        self._answer = answer
        self._loopback = loopback
        self._key = ""
        self._askers = 0
        self._server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Begin. Where that cannot be, the log says why; nothing else depends on it."""
        try:
            listener = await asyncio.to_thread(self._open)
        except (OSError, FolkmootError) as error:
            _log.warning("no command can ask this program: %s", error)
            return
        if self._loopback:
            self._server = await asyncio.start_server(
                self._serve, sock=listener, limit=MAX_QUESTION_BYTES
            )
        else:
            self._server = await asyncio.start_unix_server(
                self._serve, sock=listener, limit=MAX_QUESTION_BYTES
            )

    async def aclose(self) -> None:
        """Stop; the place of the socket is free again."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        await asyncio.to_thread(_forget, _place(self._profile, self._loopback))

    def _open(self) -> socket.socket:
        place = _place(self._profile, self._loopback)
        if self._loopback:
            listener = socket.create_server(("127.0.0.1", 0))
            self._key = secrets.token_hex(32)
            port = listener.getsockname()[1]
            write_private(place, f"{port} {self._key}\n".encode())
            return listener
        _forget(place)
        if place.parent != self._profile.folder:
            _make_own(place.parent)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(place))
        place.chmod(0o600)
        listener.listen(MAX_ASKERS)
        return listener

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._askers += 1
        try:
            if self._askers <= MAX_ASKERS:
                await self._take(reader, writer)
        except (OSError, TimeoutError, ValueError):
            pass  # who asked is gone, too slow, or asked too much
        finally:
            self._askers -= 1
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(QUESTION_S):
            line = await reader.readline()
        key, _, question = line.decode("ascii", "replace").strip().partition(" ")
        if not hmac.compare_digest(key.encode(), (self._key or "-").encode()):
            return
        async with asyncio.timeout(ANSWER_S):
            writer.write(await self._answer(question))
            await writer.drain()


async def ask(profile: Profile, question: str, *, loopback: bool = _LOOPBACK) -> bytes | None:
    """What the program that runs on `profile` answers; None if none listens or answers."""
    place = _place(profile, loopback)
    try:
        async with asyncio.timeout(QUESTION_S + ANSWER_S):
            key = "-"
            if loopback:
                port, key = (await asyncio.to_thread(place.read_text)).split()
                reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
            else:
                await asyncio.to_thread(_check_owner, place)
                reader, writer = await asyncio.open_unix_connection(str(place))
            try:
                writer.write(f"{key} {question}\n".encode())
                answer = bytearray()
                while part := await reader.read(65_536):
                    answer += part
                    if len(answer) > MAX_ANSWER_BYTES:
                        return None
                return bytes(answer) or None
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return None


def _place(profile: Profile, loopback: bool) -> Path:
    """Where the socket, or the file that names it, is: in the profile if its path is short."""
    inside = profile.folder / _NAME
    if loopback or len(os.fsencode(inside)) <= _LONGEST_PATH:
        return inside
    mark = hashlib.sha256(os.fsencode(profile.folder.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"folkmoot-{os.getuid()}-{mark}" / _NAME


def _make_own(folder: Path) -> None:
    """A folder in a place that others use too, that is ours alone. Raises OSError."""
    folder.mkdir(mode=0o700, exist_ok=True)
    _check_owner(folder)
    folder.chmod(0o700)


def _check_owner(place: Path) -> None:
    if place.lstat().st_uid != os.getuid() or place.parent.is_symlink():
        raise PermissionError(f"{place} belongs to somebody else")


def _forget(place: Path) -> None:
    with contextlib.suppress(OSError):
        place.unlink()
