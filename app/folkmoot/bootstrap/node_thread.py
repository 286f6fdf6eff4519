"""The node beside a window: its own loop in its own thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from folkmoot.bootstrap.running import Options, RunningNode, build, loop_failed
from folkmoot.domain.errors import EnvironmentFault, FolkmootError
from folkmoot.services.events import Event, Gap, NoticeChanged
from folkmoot.system.profile import Profile

if TYPE_CHECKING:
    from folkmoot.services.node import Node

T = TypeVar("T")
RETRY_S = 5.0
"""How often a node that could not start tries again."""

_log = logging.getLogger(__name__)


class NodeThread:
    """The node's loop in a thread of its own, from creation until `close`.

    A node that cannot start is tried again every few seconds; meanwhile each call raises the fault
    and listeners have its notice.
    """

    def __init__(self, profile: Profile, options: Options | None = None) -> None:
        self._profile = profile
        self._options = options or Options()
        self._listeners: list[Callable[[Event], None]] = []
        self._notice: NoticeChanged | None = None
        self._fault: FolkmootError | None = None
        self._running: RunningNode | None = None
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(loop_failed)
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="folkmoot-node", daemon=True)
        self._thread.start()

    def call(self, fn: Callable[[Node], Awaitable[T]]) -> concurrent.futures.Future[T]:
        """Run `fn` on the node's loop; before the node is up it waits for it. From any thread."""
        work = self._ask(fn)
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            failed: concurrent.futures.Future[T] = concurrent.futures.Future()
            failed.set_exception(_closed())
            return failed

    def listen(self, fn: Callable[[Event], None]) -> None:
        """Call `fn` on the node's thread for every event; it must not block. From any thread."""
        self._loop.call_soon_threadsafe(self._add, fn)

    @property
    def fault(self) -> FolkmootError | None:
        """Why there is no node; None while it starts and once it runs. From any thread."""
        return self._fault

    def close(self, timeout_s: float = 3.0) -> None:
        """Stop the node and its thread; waits `timeout_s` at most. From any other thread."""
        if self._thread.is_alive():
            try:
                self._loop.call_soon_threadsafe(self._stop.set)
            except RuntimeError:
                return
            self._thread.join(timeout_s)

    async def _ask(self, fn: Callable[[Node], Awaitable[T]]) -> T:
        while self._running is None:
            if self._fault is not None:
                raise self._fault
            self._changed.clear()
            await self._changed.wait()
        return await fn(self._running.node)

    def _add(self, fn: Callable[[Event], None]) -> None:
        self._listeners.append(fn)
        if self._notice is not None:
            fn(self._notice)
        if self._running is not None:
            for notice in self._running.node.notices():
                fn(notice)

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._live())
        except BaseException:
            _log.critical("the node's thread died", exc_info=True)
            raise
        finally:
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    async def _live(self) -> None:
        while self._running is None and not self._stop.is_set():
            try:
                running = await build(self._profile, self._options)
            except Exception as error:  # noqa: BLE001 - the window stays and says what happened
                await self._could_not_start(error)
            else:
                self._is_up(running)
        await self._stop.wait()
        if self._running is not None:
            await self._running.aclose()

    def _is_up(self, running: RunningNode) -> None:
        again = self._notice is not None
        running.node.events.listen(self._tell)
        if self._notice is not None:
            self._tell(NoticeChanged(self._notice.code, ""))
        self._notice, self._fault, self._running = None, None, running
        for notice in running.node.notices():
            self._tell(notice)
        if again:
            self._tell(Gap())
        self._changed.set()

    async def _could_not_start(self, error: Exception) -> None:
        if not isinstance(error, FolkmootError):
            _log.critical("the node could not start", exc_info=error)
            error = EnvironmentFault(
                "internal_error",
                f"Folkmoot could not start ({type(error).__name__}).",
                "What you wrote is safe. The log file in the profile says more.",
            )
        elif self._fault is None:
            _log.error("the node cannot start: %s", error)
        told = NoticeChanged(error.code, error.message, error.hint)
        if told != self._notice:
            if self._notice is not None:
                self._tell(NoticeChanged(self._notice.code, ""))
            self._notice = told
            self._tell(told)
        self._fault = error
        self._changed.set()
        try:
            async with asyncio.timeout(RETRY_S):
                await self._stop.wait()
        except TimeoutError:
            return


class NoNode:
    """Stands where the node would be when the profile cannot be used at all."""

    def __init__(self, fault: FolkmootError) -> None:
        self._fault = fault

    def call(self, fn: Callable[[Node], Awaitable[T]]) -> concurrent.futures.Future[T]:
        """A future with the fault."""
        failed: concurrent.futures.Future[T] = concurrent.futures.Future()
        failed.set_exception(self._fault)
        return failed

    def listen(self, fn: Callable[[Event], None]) -> None:
        """Tell the fault as a notice."""
        fn(NoticeChanged(self._fault.code, self._fault.message, self._fault.hint))

    def close(self, timeout_s: float = 3.0) -> None:
        """Nothing runs."""


def _closed() -> EnvironmentFault:
    return EnvironmentFault("closed", "Folkmoot is closing.", "Start it again.")
