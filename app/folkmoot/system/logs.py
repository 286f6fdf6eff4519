"""The log file of the node: bounded, private, and written by a thread of its own.

No loop ever waits for the disk because it logs: records go through a bounded queue and what does
not fit is counted and dropped. Refuses nothing by content; who logs keeps keys, tokens and what
people wrote out of it.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import queue
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

from folkmoot.build import build, installed_as

MAX_FILE_BYTES = 1024 * 1024
KEPT_FILES = 3
_QUEUE_LENGTH = 4096
_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"

_log = logging.getLogger(__name__)


class _DroppingHandler(logging.handlers.QueueHandler):
    """Hands records over without ever waiting."""

    def __init__(self, records: queue.Queue[logging.LogRecord]) -> None:
        super().__init__(records)
        self.dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Fix the words now and leave the traceback, which reads source files, to the thread."""
        record.msg = record.getMessage()
        record.args = None
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue a record, or count it if the queue is full."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """A rotating file that only its owner reads."""

    lost = 0

    def handleError(self, record: logging.LogRecord) -> None:
        """Count a line that could not be written: a full or read-only disk is told elsewhere."""
        self.lost += 1

    def _open(self):  # type: ignore[no-untyped-def]
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")


class LogFile:
    """Logging of the whole process into one file, from creation until `close`."""

    def __init__(self, path: Path, level: int = logging.INFO) -> None:
        """Start writing to `path`. A disk that refuses is passed over: the node runs on."""
        self._root = logging.getLogger()
        records: queue.Queue[logging.LogRecord] = queue.Queue(_QUEUE_LENGTH)
        self._handler = _DroppingHandler(records)
        file = _PrivateFile(
            path, maxBytes=MAX_FILE_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True
        )
        formatter = logging.Formatter(_FORMAT, "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        file.setFormatter(formatter)
        self._file = file
        self._listener = logging.handlers.QueueListener(records, file)
        self._root.addHandler(self._handler)
        self._level = self._root.level
        self._root.setLevel(level)
        self._listener.start()
        self._hooks = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread
        _log.info("Folkmoot %s%s", build().words, f", {kind}" if (kind := installed_as()) else "")

    def close(self) -> None:
        """Write what is queued, if the disk takes it, and give back the hooks."""
        if lost := self._handler.dropped + self._file.lost:
            _log.warning("%d lines of this log were lost", lost)
        sys.excepthook, threading.excepthook = self._hooks
        self._root.removeHandler(self._handler)
        self._root.setLevel(self._level)
        self._listener.stop()
        with contextlib.suppress(OSError):
            self._file.close()

    def _uncaught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            _log.critical("nobody caught this", exc_info=(kind, error, trace))
        self._hooks[0](kind, error, trace)

    def _uncaught_in_thread(self, told: threading.ExceptHookArgs) -> None:
        error = told.exc_value
        if error is not None:
            name = told.thread.name if told.thread is not None else "a thread"
            _log.critical("nobody caught this in %s", name, exc_info=error)
        self._hooks[1](told)
