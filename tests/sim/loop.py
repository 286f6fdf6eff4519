"""An asyncio loop on virtual time, whose every choice comes from a seed.

Time stands still while callbacks run and jumps to the next timer when none is ready. Which ready
callback runs next is drawn from the seeded generator, so every interleaving can be reached and the
same seed gives the same run; `trace` is a hash over all choices and what they chose. Refuses
threads and real input and output, and stops a run that never becomes quiet after `step_budget`
callbacks.
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class StepBudgetSpent(AssertionError):
    """The program under test keeps itself busy without end."""


def sim_loop(seed: int, step_budget: int = 2_000_000) -> SimLoop:
    """A loop for one run; it has no sockets, files or processes, which makes it "abstract"."""
    return SimLoop(seed, step_budget)  # type: ignore[abstract]


class SimLoop(asyncio.AbstractEventLoop):
    """The loop; use `run` for the whole life of a program."""

    def __init__(self, seed: int, step_budget: int) -> None:
        self.random = random.Random(seed)
        self.failures: list[dict[str, Any]] = []
        self.steps = 0
        self._budget = step_budget
        self._now = 0.0
        self._trace = hashlib.sha256()
        self._ready: deque[tuple[asyncio.Handle, Callable[[], object]]] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle, Callable[[], object]]] = []
        self._order = itertools.count()
        self._tasks: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()
        self._closed = False
        self._running = False

    @property
    def trace(self) -> str:
        """Hash of every choice so far: equal for equal runs."""
        return self._trace.hexdigest()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end in this loop, close the loop, give the result."""
        try:
            result: T = self.run_until_complete(work)
            return result
        finally:
            self._cancel_left_over()
            self.close()

    # What asyncio asks of a loop -------------------------------------------------------------

    def time(self) -> float:
        return self._now

    def call_soon(  # type: ignore[override]
        self,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        context = context or contextvars.copy_context()
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append((handle, lambda: context.run(callback, *args)))
        return handle

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        context = context or contextvars.copy_context()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        run = lambda: context.run(callback, *args)  # noqa: E731
        heapq.heappush(self._timers, (when, next(self._order), handle, run))
        return handle

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + max(0.0, delay), callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks[task] = next(self._order)
        return task

    def run_until_complete(self, future: Any) -> Any:
        task = asyncio.ensure_future(future, loop=self)
        asyncio._set_running_loop(self)
        self._running = True
        try:
            while not task.done():
                self._step()
        finally:
            self._running = False
            asyncio._set_running_loop(None)
        return task.result()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.failures.append(context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.failures.append(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        raise AssertionError("no threads in a simulation")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are passed over when their time comes."""

    # The choice ------------------------------------------------------------------------------

    def _step(self) -> None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._ready:
            if not self._timers:
                raise AssertionError("deadlock: nothing is ready and no timer is set")
            self._now = max(self._now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self._now:
            _when, _order, timer, run = heapq.heappop(self._timers)
            if not timer.cancelled():
                self._ready.append((timer, run))
        if not self._ready:
            return
        if self.steps >= self._budget:
            raise StepBudgetSpent(f"more than {self._budget} callbacks at {self._now:.1f} s")
        index = self.random.randrange(len(self._ready)) if len(self._ready) > 1 else 0
        self._ready.rotate(-index)
        handle, run = self._ready.popleft()
        self._ready.rotate(index)
        if handle.cancelled():
            return
        self.steps += 1
        name = _name_of(handle)
        self._trace.update(b"%d %d %s;" % (index, round(self._now * 1e6), name.encode()))
        try:
            run()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - told by `failures`, as asyncio does
            self.call_exception_handler({"message": "callback failed", "exception": error})

    def _cancel_left_over(self) -> None:
        self._budget += 100_000
        tasks = sorted(asyncio.all_tasks(self), key=self._tasks.__getitem__)
        for task in tasks:
            task.cancel()
        if tasks:
            self.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def _name_of(handle: asyncio.Handle) -> str:
    """What a callback is called; of a step of a task, what its coroutine is called."""
    callback: Any = handle._callback  # type: ignore[attr-defined]
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        callback = task.get_coro()
    return getattr(callback, "__qualname__", type(callback).__name__)
