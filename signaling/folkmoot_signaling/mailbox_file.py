"""A mailbox that survives a restart of its server: one file that grows at its end.

A record is `length (4) | CRC-32 (4) | content`, content canonical msgpack: a put
`[1, expires s, recipient, sender, id, sealed]` or `[2, recipient, ids]` for what was taken. What
waits is in memory without the envelopes; those are read when they are delivered. All disk work is
done by one thread, in order, and several puts share one fsync. A put is answered after the fsync;
that something was taken may be lost in a crash, then it is delivered again. Refuses to believe the
file: a record that is torn or damaged ends it, and what follows is cut off. The file is written
anew when most of it is of no use any more.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import struct
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Final
from zlib import crc32

import msgspec

from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.codec import Device32, Natural, Reader, pack
from folkmoot.protocol.signaling import MAX_ENVELOPE_BYTES, MailId
from folkmoot_signaling.mailbox import Letter, MailBook, MailLimits, Receipt, Waiting, receipt

BUSY: Final = "busy"
MAGIC: Final = b"folkmoot mail 1\n"
MAX_DEAD_BYTES: Final = 4 * 1024 * 1024
"""What is of no use may take this much, or as much as what is of use; then it is written anew."""
_FRAME = struct.Struct(">II")
_RECORD_OVERHEAD_BYTES: Final = 128
_MAX_RECORD_BYTES: Final = 64 * 1024

_log = logging.getLogger(__name__)


class _Put(msgspec.Struct, array_like=True, frozen=True, tag=1):
    expires_s: Natural
    recipient: Device32
    sender: Device32
    id: MailId
    sealed: Annotated[bytes, msgspec.Meta(min_length=1, max_length=MAX_ENVELOPE_BYTES)]


class _Taken(msgspec.Struct, array_like=True, frozen=True, tag=2):
    recipient: Device32
    ids: tuple[MailId, ...]


_READER: Reader[_Put | _Taken] = Reader(_Put | _Taken, "bad_record")


class _Place:
    """Where the record of an envelope lies; `length` 0: it was not written. For the thread."""

    __slots__ = ("length", "offset")

    def __init__(self, offset: int = 0, length: int = 0) -> None:
        self.offset = offset
        self.length = length


_Letter = Letter[_Place]
_Record = tuple[_Place | None, bytes]


class _File:
    """The file; every method is called in the thread of the mailbox, `end` from anywhere."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_fd = -1
        self._fd = -1
        self._end = 0

    @property
    def end(self) -> int:
        """The size of the file; any thread may ask."""
        return self._end

    def open(self, book: MailBook[_Place], now: float) -> None:
        """Take what waits into `book`; cut what is torn."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock_fd = os.open(self._beside(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if os.pread(self._fd, len(MAGIC), 0) != MAGIC:
            self._begin()
        self._end = self._read(book, now)
        size = os.fstat(self._fd).st_size
        if size > self._end:
            _log.warning(
                "%d bytes at the end of the mailbox were torn and are cut", size - self._end
            )
            os.ftruncate(self._fd, self._end)
            os.fsync(self._fd)

    def _begin(self) -> None:
        size = os.fstat(self._fd).st_size
        if size > len(MAGIC):
            raise EnvironmentFault(
                "not_a_mailbox",
                f"{self._path} is not a mailbox.",
                "Nothing was changed. Choose another file, or move this one away.",
            )
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, MAGIC, 0)
        os.fsync(self._fd)
        _sync_folder(self._path.parent)

    def _read(self, book: MailBook[_Place], now: float) -> int:
        """Every whole record; where the last one ends."""
        at = len(MAGIC)
        while (content := self._record(at)) is not None:
            length = _FRAME.size + len(content)
            self._take(book, content, _Place(at, length), now)
            at += length
        return at

    @staticmethod
    def _take(book: MailBook[_Place], content: bytes, place: _Place, now: float) -> None:
        try:
            record = _READER.read(content, _MAX_RECORD_BYTES)
        except PeerError:
            return  # whole, but of a kind that a later version writes
        if isinstance(record, _Taken):
            book.taken(record.recipient, record.ids)
        elif record.expires_s > now:
            to, of, size = record.recipient, record.sender, len(record.sealed)
            book.restore(to, of, "", record.id, place, size, record.expires_s)

    def _record(self, at: int) -> bytes | None:
        frame = os.pread(self._fd, _FRAME.size, at)
        if len(frame) < _FRAME.size:
            return None
        length, check = _FRAME.unpack(frame)
        if not 0 < length <= _MAX_RECORD_BYTES:
            return None
        content = os.pread(self._fd, length, at + _FRAME.size)
        return content if len(content) == length and crc32(content) == check else None

    def append(self, records: Sequence[_Record], *, sync: bool) -> None:
        """Write records at the end. Raises `OSError`; then nothing of them is in the file."""
        data = b"".join(content for _, content in records)
        try:
            _write_all(self._fd, data, self._end)
            if sync:
                os.fsync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._end)
            raise
        for place, content in records:
            if place is not None:
                place.offset, place.length = self._end, len(content)
            self._end += len(content)

    def sealed(self, places: Sequence[_Place]) -> list[bytes | None]:
        """The envelopes at these places; None for one that cannot be read."""
        return [self._envelope(place) for place in places]

    def _envelope(self, place: _Place) -> bytes | None:
        content = self._record(place.offset) if place.length else None
        if content is None:
            return None
        record = _READER.convert(content)
        return record.sealed if isinstance(record, _Put) else None

    def compact(self, places: Sequence[_Place]) -> None:
        """Write the records at `places` into a new file and put it in the place of the old one.

        Raises `OSError`; then the old file is as it was.
        """
        places = [place for place in places if place.length]
        fresh = self._beside(".new")
        fd = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            offsets, end = self._copy(fd, places)
            os.fsync(fd)
            os.replace(fresh, self._path)
        except OSError:
            os.close(fd)
            fresh.unlink(missing_ok=True)
            raise
        os.close(self._fd)
        self._fd, self._end = fd, end
        for place, offset in zip(places, offsets, strict=True):
            place.offset = offset
        _sync_folder(self._path.parent)

    def _copy(self, fd: int, places: Sequence[_Place]) -> tuple[list[int], int]:
        _write_all(fd, MAGIC, 0)
        end = len(MAGIC)
        offsets: list[int] = []
        for place in places:
            offsets.append(end)
            _write_all(fd, os.pread(self._fd, place.length, place.offset), end)
            end += place.length
        return offsets, end

    def close(self) -> None:
        """Write what the system still holds, and let go of the file."""
        if self._fd >= 0:
            os.fsync(self._fd)
        for fd in (self._fd, self._lock_fd):
            if fd >= 0:
                os.close(fd)
        self._fd = self._lock_fd = -1

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)


class _Batch:
    """Records that are written together, and what comes of it."""

    def __init__(self) -> None:
        self.records: list[_Record] = []
        self.sync = False
        self.done: Future[None] = Future()


class FileMailbox:
    """A `Mailbox` in a file."""

    def __init__(self, limits: MailLimits, now: Callable[[], float], file: _File) -> None:
        """Made by `open`."""
        self.limits = limits
        self._now = now
        self._file = file
        self._book: MailBook[_Place] = MailBook(limits)
        self._max_file_bytes = 3 * limits.total_bytes + 4 * MAX_DEAD_BYTES
        self._thread = ThreadPoolExecutor(1, "mailbox")
        self._lock = threading.Lock()
        self._next: _Batch | None = None
        self._compact_from = 0
        """A file smaller than this is not written anew: it is under way, or failed just now."""

    @classmethod
    async def open(cls, path: Path, limits: MailLimits, now: Callable[[], float]) -> FileMailbox:
        """The mailbox in the file `path`, made if it is not there.

        `now`: Unix time in seconds. Raises `EnvironmentFault` ``mailbox_unusable``,
        ``not_a_mailbox``.
        """
        mailbox = cls(limits, now, _File(path))
        try:
            job = mailbox._thread.submit(mailbox._file.open, mailbox._book, now())
            await asyncio.wrap_future(job)
        except BlockingIOError as error:
            await mailbox.aclose()
            raise _unusable(path, "another server uses it") from error
        except OSError as error:
            await mailbox.aclose()
            raise _unusable(path, error.strerror or str(error)) from error
        except EnvironmentFault:
            await mailbox.aclose()
            raise
        return mailbox

    async def put(
        self,
        recipient: DeviceId,
        sender: DeviceId,
        address: str,
        id: bytes,
        sealed: bytes,
        keep_s: int,
    ) -> Receipt:
        """As `Mailbox.put`; it is on disk when this returns."""
        now = self._now()
        made: _Letter | str | None = self._book.held(recipient, sender, id, now)
        record: _Record = (None, b"")  # the first put of it may be under way
        if made is None:
            if self._file.end > self._max_file_bytes:
                return Receipt(0, BUSY)
            place = _Place()
            made = self._book.put(recipient, sender, address, id, place, len(sealed), keep_s, now)
            if isinstance(made, Letter):
                record = (place, _framed(_Put(int(made.expires_s), recipient, sender, id, sealed)))
        if isinstance(made, str):
            return Receipt(0, made)
        await self._write(record, sync=True)
        if not made.content.length:
            self._book.forget(made)
            return Receipt(0, BUSY)
        return receipt(made, now)

    async def waiting(
        self, recipient: DeviceId, after: int = 0, max_bytes: int = MAX_ENVELOPE_BYTES
    ) -> list[Waiting]:
        """As `Mailbox.waiting`."""
        found: list[Waiting] = []
        # A page of which nothing can be read is not the end.
        while not found:
            letters = self._book.waiting(recipient, self._now(), after, max_bytes)
            if not letters:
                return []
            job = self._thread.submit(self._file.sealed, [letter.content for letter in letters])
            envelopes = await asyncio.wrap_future(job)
            found = [
                Waiting(letter.number, letter.id, sealed)
                for letter, sealed in zip(letters, envelopes, strict=True)
                if sealed is not None
            ]
            after = letters[-1].number
        return found

    async def taken(self, recipient: DeviceId, ids: Sequence[bytes]) -> None:
        """As `Mailbox.taken`."""
        gone = self._book.taken(recipient, ids)
        if gone:
            record = _framed(_Taken(recipient, tuple(letter.id for letter in gone)))
            await self._write((None, record), sync=False)

    def usage(self) -> tuple[int, int]:
        """As `Mailbox.usage`."""
        self._book.expire(self._now())
        return self._book.usage()

    async def aclose(self) -> None:
        """Write what is queued, close the file; again is harmless."""
        try:
            await asyncio.wrap_future(self._thread.submit(self._file.close))
        except RuntimeError:
            return  # closed before
        except OSError as error:
            _log.error("the mailbox could not be closed: %s", error.strerror or error)
        self._thread.shutdown(wait=False)

    # --- writing -----------------------------------------------------------------------------

    async def _write(self, record: _Record, *, sync: bool) -> None:
        """Have a record written, with others if there are more; its place says whether it was."""
        self._compact_if_wasteful()
        with self._lock:
            batch = self._next
            if batch is None:
                batch = self._next = _Batch()
                self._thread.submit(self._flush, batch)
            batch.records.append(record)
            batch.sync = batch.sync or sync
        try:
            await asyncio.shield(asyncio.wrap_future(batch.done))
        except OSError as error:
            _log.error("the mailbox could not be written: %s", error.strerror or error)

    def _flush(self, batch: _Batch) -> None:
        """In the thread: write what came together until now."""
        with self._lock:
            if self._next is batch:
                self._next = None
        try:
            self._file.append(batch.records, sync=batch.sync)
        except OSError as error:
            batch.done.set_exception(error)
        else:
            batch.done.set_result(None)

    def _compact_if_wasteful(self) -> None:
        count, size = self._book.usage()
        live = size + count * _RECORD_OVERHEAD_BYTES
        end = self._file.end
        if end < self._compact_from or end - live <= max(MAX_DEAD_BYTES, live):
            return
        with self._lock:
            self._next = None  # what comes from now on is written behind, into the new file
        self._compact_from = 2 * self._max_file_bytes
        self._book.expire(self._now())
        places = [letter.content for letter in self._book.letters()]
        self._thread.submit(self._compact, places)

    def _compact(self, places: Sequence[_Place]) -> None:
        """In the thread."""
        try:
            self._file.compact(places)
            self._compact_from = 0
        except OSError as error:
            _log.error("the mailbox could not be written anew: %s", error.strerror or error)
            self._compact_from = self._file.end + MAX_DEAD_BYTES


def _framed(record: _Put | _Taken) -> bytes:
    content = pack(record)
    return _FRAME.pack(len(content), crc32(content)) + content


def _write_all(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _unusable(path: Path, why: str) -> EnvironmentFault:
    return EnvironmentFault(
        "mailbox_unusable",
        f"The mailbox {path} cannot be used: {why}.",
        "Choose a file in a folder that this user may write, and one for each server.",
    )
