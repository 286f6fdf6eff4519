"""The one place where the node starts tasks: it names them, keeps them and logs how they ended.

Refuses to restart anything: a service that wants to go on loops inside its own task. A task that
dies of an error outside `FolkmootError` is a bug of ours; it is told to the top hook, once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from folkmoot.domain.errors import FolkmootError

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Supervisor:
    """Owns the tasks of one node. Used on that node's loop only."""

    def __init__(self, on_bug: Callable[[str, BaseException], None]) -> None:
        """`on_bug` gets the task's name and the exception that nobody expected."""
        self._on_bug = on_bug
        # In the order of their start: a simulation cancels them in the same order in each run.
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._awaited: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def names(self) -> list[str]:
        """Names of the tasks that run, sorted."""
        return sorted(task.get_name() for task in self._tasks)

    def start(self, name: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run `work` as a task called `name`. After `aclose` it is cancelled before it begins."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[task] = None
        task.add_done_callback(self._ended)
        if self._closed:
            task.cancel()
        return task

    async def finish(self, name: str, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` as a task and wait for it; it goes on if the caller is cancelled meanwhile.

        What it raises is the caller's, as long as there is one.
        """
        task = self.start(name, work)
        self._awaited.add(task)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._awaited.discard(task)
            raise

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if task.cancelled():
            self._awaited.discard(task)
            return
        error = task.exception()
        if error is None or task in self._awaited:
            self._awaited.discard(task)
            return
        if isinstance(error, FolkmootError):
            _log.warning("task %s ended: %s (%s)", task.get_name(), error, error.code)
            return
        _log.error("task %s died", task.get_name(), exc_info=error)
        self._on_bug(task.get_name(), error)

    async def aclose(self, timeout_s: float = 1.0) -> None:
        """Cancel every task and wait `timeout_s` at most; what hangs is named in the log."""
        self._closed = True
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _done, hanging = await asyncio.wait(tasks, timeout=timeout_s)
        for task in hanging:
            _log.error("task %s did not end when it was cancelled", task.get_name())
