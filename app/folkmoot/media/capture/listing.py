"""Tells what can be shared while somebody chooses: the list at each change, and small pictures.

Owns a thread that lives while it is switched on. Refuses to look at anything while it is off.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import av

from folkmoot.media.capture.backend import Backend, Browser
from folkmoot.media.capture.source import ShareEnded
from folkmoot.services.media_port import SourcesListed

LOOK_S = 0.5
FIRST_S = 0.1
"""After the first look: by then programs have painted what was asked of them."""
RETRY_S = 2.0

_log = logging.getLogger(__name__)


class Lister:
    """Calls `listed(SourcesListed)` and `thumbnail(source_id, frame, capture_ns)` in its thread."""

    def __init__(
        self,
        backend: Backend | None,
        listed: Callable[[SourcesListed], None],
        thumbnail: Callable[[str, av.VideoFrame, int], None],
    ) -> None:
        self._backend = backend
        self._listed, self._thumbnail = listed, thumbnail
        self._lock = threading.Lock()
        self._off: threading.Event | None = None
        self._thread: threading.Thread | None = None

    def switch(self, on: bool) -> None:
        """On or off; on tells the list again."""
        with self._lock:
            if self._off is not None:
                self._off.set()
                self._off = None
            if on:
                self._off = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._off,), name="share sources", daemon=True
                )
                self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the thread, which ends once it is off."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(seconds)

    # --- in the thread

    def _run(self, off: threading.Event) -> None:
        if self._backend is None:
            self._listed(SourcesListed(()))
            return
        while not off.is_set():
            try:
                browser = self._backend.browse()
                try:
                    self._browse(browser, off)
                finally:
                    browser.close()
            except ShareEnded:
                if not off.is_set():
                    self._listed(SourcesListed(()))
            except Exception:  # noqa: BLE001 - a bug in an adapter must not end the call
                _log.exception("the list of what can be shared failed")
            off.wait(RETRY_S)

    def _browse(self, browser: Browser, off: threading.Event) -> None:
        last: SourcesListed | None = None
        wait = FIRST_S
        while not off.is_set():
            listed = browser.look()
            if listed != last:
                last = listed
                self._listed(listed)
            for source_id, frame in browser.thumbnails():
                if off.is_set():
                    return
                self._thumbnail(source_id, frame, time.monotonic_ns())
            off.wait(wait)
            wait = LOOK_S
