"""What this person shares of the screen, as frames; and the list of what could be shared.

Owns the thread that hands frames out, only when something changed, at the size and rate that are
wanted. Refuses to show more than the source has: nothing is scaled up, and nothing is captured
while it is paused or after it ended.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from fractions import Fraction

import av

from folkmoot.media.capture.backend import Backend, find_backend
from folkmoot.media.capture.boxes import Box
from folkmoot.media.capture.film import Film
from folkmoot.media.capture.guard import Guarded
from folkmoot.media.capture.listing import Lister
from folkmoot.media.capture.pace import Pace
from folkmoot.media.capture.page import Page
from folkmoot.media.capture.source import NOWHERE, ShareEnded, Source
from folkmoot.services.media_port import ShareChanged, SharePlan, SourcesListed

TICK_S = 1 / 30
IDLE_TICK_S, IDLE_S = 1 / 20, 1.0
"""After so long without a change, changes are looked for less often."""
PAUSED_TICK_S = 0.1
CLOSE_S = 2.0
PLACE_S = 0.25
"""A place that changes is told at most so often."""
_FASTEST = 30

_log = logging.getLogger(__name__)

FrameTaken = Callable[[av.VideoFrame, int], None]
ThumbnailTaken = Callable[[str, av.VideoFrame, int], None]


class ShareInput:
    """Hands yuv420p frames to `frame(frame, capture_ns)` in its own thread: at the start, at each
    change, when a pause ends and after `again`.

    `changed(ShareChanged)`, `sources(SourcesListed)` and `thumbnail(source_id, frame, capture_ns)`
    are called from threads too. Without `use_devices` the screen is never touched. `backend` is
    another adapter than the one for this desktop.
    """

    def __init__(
        self,
        *,
        frame: FrameTaken,
        changed: Callable[[ShareChanged], None],
        sources: Callable[[SourcesListed], None],
        thumbnail: ThumbnailTaken,
        use_devices: bool,
        backend: Backend | None = None,
    ) -> None:
        self._frame = frame
        self._told = changed
        self._backend = backend or (find_backend() if use_devices else None)
        self._lister = Lister(self._backend, sources, thumbnail)
        self._plan = SharePlan()
        self._limits = (1920, 1080, _FASTEST)
        self._changed = threading.Condition()
        self._version = 0
        self._again = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self._last = ShareChanged("ended")
        self._last_at = 0.0

    def set_plan(self, plan: SharePlan) -> None:
        """Replace the plan. Another pause or rate does not open the source anew."""
        with self._changed:
            if plan == self._plan:
                return
            before, self._plan = self._plan, plan
            if _what(before) != _what(plan):
                self._version += 1
            self._changed.notify_all()
            if self._thread is None and plan.source != "none" and not self._closed:
                self._thread = threading.Thread(target=self._run, name="share", daemon=True)
                self._thread.start()

    def set_limits(self, width: int, height: int, fps: int) -> None:
        """The largest picture and the rate that are wanted. Raises `ValueError` out of bounds."""
        if not (16 <= width <= 4096 and 16 <= height <= 4096 and 1 <= fps <= 120):
            raise ValueError(f"pictures of {width}x{height} at {fps} a second are out of bounds")
        with self._changed:
            if self._limits[:2] != (width, height):
                self._again = True
            self._limits = width, height, fps
            self._changed.notify_all()

    def list_sources(self, on: bool) -> None:
        """Tell what can be shared, with thumbnails, until it is switched off."""
        self._lister.switch(on)

    def again(self) -> None:
        """Hand the picture of now out once more, changed or not."""
        with self._changed:
            self._again = True
            self._changed.notify_all()

    def close(self) -> None:
        """End the threads and let the source go; waits for them, at most two seconds."""
        with self._changed:
            self._closed = True
            self._version += 1
            self._changed.notify_all()
        self._lister.switch(False)
        deadline = time.monotonic() + CLOSE_S
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(CLOSE_S)
        self._lister.join(max(0.0, deadline - time.monotonic()))

    # --- in the thread

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                plan, version = self._plan, self._version
            if plan.source == "none":
                self._tell(ShareChanged("ended"))
            else:
                self._share(plan, version)
            with self._changed:
                self._changed.wait_for(lambda v=version: v != self._version)  # type: ignore[misc]

    def _share(self, plan: SharePlan, version: int) -> None:
        """Share it until the plan is another one or it ends by itself."""
        self._last = ShareChanged("")  # each source that is opened is told, also at the same place
        try:
            source = self._open(plan)
            try:
                self._serve(source, version)
            finally:
                source.close()
        except ShareEnded as end:
            self._end(version, end.code, end.words)
        except Exception:  # noqa: BLE001 - a bug in an adapter must not end the call
            _log.exception("sharing %s failed", plan.source)
            self._end(version, "failed", "Sharing failed.")

    def _end(self, version: int, code: str, words: str) -> None:
        """It ended by itself; the same plan begins it anew."""
        with self._changed:
            if version != self._version:
                return
            self._plan = SharePlan()
        self._tell(ShareChanged("ended", code[:32], words[:500]))

    def _open(self, plan: SharePlan) -> Source:
        if plan.source == "test":
            return Page(plan.source_id)
        if plan.source == "file":
            return Film(plan.source_id)
        if self._backend is None:
            raise ShareEnded("none", "The screen cannot be shared here.")
        return Guarded(self._backend.open(plan))

    def _serve(self, source: Source, version: int) -> None:
        pace, active, wanted = Pace(), 0.0, True
        while True:
            with self._changed:
                if version != self._version:
                    return
                plan, limits = self._plan, self._limits
                wanted, self._again = wanted or self._again, False
            now = time.monotonic()
            source.attend(now)
            if source.is_ready:
                self._tell_place("paused" if plan.paused else "sharing", source.place, now)
            if plan.paused:
                wanted = True
                self._rest(plan, version, PAUSED_TICK_S)
                continue
            moved = source.moved(now)
            fps = min(limits[2], plan.fps or _FASTEST, _FASTEST)
            due = pace.due(moved, fps, now)
            if wanted or (moved > 0 and now >= due):
                if self._hand_out(source, limits[:2], whole=wanted):
                    wanted = False
                    pace.took(moved, fps, now)
                active = now
            quiet = IDLE_TICK_S if now - active > IDLE_S else TICK_S
            wait = due - now if moved > 0 and now < due else quiet
            self._rest(plan, version, min(quiet, max(0.0, wait)))

    def _hand_out(self, source: Source, limits: tuple[int, int], *, whole: bool) -> bool:
        captured = time.monotonic_ns()
        frame = source.take(limits, whole=whole)
        if frame is None:
            return False
        frame.pts, frame.time_base = captured // 1000, Fraction(1, 1_000_000)
        self._frame(frame, captured)
        return True

    def _rest(self, plan: SharePlan, version: int, seconds: float) -> None:
        """Wait, but not when another plan or a wish for a picture has come."""
        with self._changed:
            self._changed.wait_for(
                lambda: version != self._version or self._plan is not plan or self._again, seconds
            )

    def _tell_place(self, state: str, place: Box, now: float) -> None:
        last = self._last
        if state != last.state or (place != last.place and now - self._last_at >= PLACE_S):
            self._last_at = now
            self._tell(ShareChanged(state, place=place))

    def _tell(self, change: ShareChanged) -> None:
        if change != self._last:
            self._last = change
            self._told(change)


def _what(plan: SharePlan) -> tuple[object, ...]:
    """What of a plan says which source is to be open."""
    return plan.source, plan.source_id, plan.region if plan.source == "region" else NOWHERE
