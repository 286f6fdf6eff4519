"""The one crossing between the window's thread and the node's.

Questions go over with `ask`, answers come back on the window's loop; events come over as one queued
signal. The first events are handed on at once, many that follow within a frame together. Holds at
most `LIMIT` events: a window that is slower gets one `Gap` and reads everything anew. Refuses to
let a coroutine of the window fail in silence.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from folkmoot.services.events import Event, Gap

if TYPE_CHECKING:
    from folkmoot.ui.facade import Node

T = TypeVar("T")
LIMIT = 4000
"""Events kept for a busy window."""
FRAME_MS = 16
BURST = 4
"""Deliveries in one frame: the end of somebody's typing must not hold up the message after it."""
CLOSE_S = 2.0
"""How long the last saves may take when the window closes."""


class NodeHandle(Protocol):
    """What the window needs of the node's thread; `folkmoot.bootstrap` makes it."""

    def call(self, fn: Callable[[Node], Awaitable[T]]) -> concurrent.futures.Future[T]:
        """Run `fn` on the node's loop; before the node is up it waits for it."""
        ...

    def listen(self, fn: Callable[[Event], None]) -> None:
        """Call `fn` on the node's thread for every event."""
        ...

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop the node and its thread."""
        ...


class Bridge(QObject):
    """Questions to the node and events from it, for objects of the window's thread."""

    events = Signal(list)
    """Events in the order of the commits, one or many."""
    failed = Signal(object)
    """An exception that no coroutine of the window caught: a bug of ours."""
    _woken = Signal()

    def __init__(self, handle: NodeHandle, loop: asyncio.AbstractEventLoop) -> None:
        """`loop` is the window's, run by Qt."""
        super().__init__()
        self._loop = loop
        self._handle = handle
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._awake = False
        self._closed = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._last: set[concurrent.futures.Future[Any]] = set()
        self._frame = QTimer(self)
        self._frame.setSingleShot(True)
        self._frame.setInterval(FRAME_MS)
        self._frame.timeout.connect(self._end_frame)
        self._burst = 0
        self._woken.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        handle.listen(self._take)

    def ask(self, fn: Callable[[Node], Awaitable[T]], *, whole: bool = False) -> Awaitable[T]:
        """Start `fn` on the node's loop now; await the result on the window's.

        The answer never comes before the events that the node told before it. A window that closes
        gives up what it asked; with `whole` it lets that finish.
        """
        future = self._handle.call(fn)
        answer = asyncio.wrap_future(future, loop=self._loop)
        if not whole:
            return self._answer(answer)
        self._last.add(future)
        future.add_done_callback(self._last.discard)
        return self._answer(asyncio.shield(answer))

    def tell(self, fn: Callable[[Node], Awaitable[object]]) -> None:
        """Like `ask` for what must still happen when the window closes: nobody waits for it."""
        if self._closed:
            return
        future = self._handle.call(fn)
        self._last.add(future)
        future.add_done_callback(self._last.discard)

    def run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run a coroutine of the window; what it raises reaches `failed`."""
        if self._closed:
            work.close()
            return
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def close(self) -> None:
        """Let the last saves finish, then stop the node. Blocks; the window is gone by now."""
        self._closed = True
        for task in tuple(self._tasks):
            task.cancel()
        concurrent.futures.wait(tuple(self._last), timeout=CLOSE_S)
        self._handle.close()

    async def ended(self) -> None:
        """Wait until what `close` cancelled has ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, future: Awaitable[T]) -> T:
        try:
            return await future
        finally:
            self._catch_up()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed.emit(error)

    def _take(self, event: Event) -> None:
        with self._lock:
            if len(self._events) >= LIMIT:
                self._events = [Gap()]
            else:
                self._events.append(event)
            if self._awake:
                return
            self._awake = True
        try:
            # After this turn of the node's loop: what one commit tells comes over together.
            asyncio.get_running_loop().call_soon(self._woken.emit)
        except RuntimeError:
            self._woken.emit()

    def _catch_up(self) -> None:
        """Hand on what waits for the end of its frame."""
        with self._lock:
            events, self._events = self._events, []
        if events and not self._closed:
            self.events.emit(events)

    def _deliver(self) -> None:
        """Hand on at once what is there; after a few times in one frame the rest waits for it."""
        self._burst += 1
        with self._lock:
            events, self._events = self._events, []
            self._awake = self._burst >= BURST
        if not self._frame.isActive():
            self._frame.start()
        if events and not self._closed:
            self.events.emit(events)

    def _end_frame(self) -> None:
        self._burst = 0
        with self._lock:
            self._awake = bool(self._events)
            waiting = self._awake
        if waiting:
            self._deliver()
