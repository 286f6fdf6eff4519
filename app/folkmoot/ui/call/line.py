"""Asks the node about calls and says its words when something fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from folkmoot.domain.errors import FolkmootError
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.facade import Calls, Node

T = TypeVar("T")


class Line:
    """The way to `node.calls`."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._kept: dict[str, str] = {}

    def do(
        self,
        act: Callable[[Calls], Awaitable[T]],
        done: Callable[[T], object] = lambda _: None,
        failed: Callable[[FolkmootError], object] = lambda _: None,
    ) -> None:
        """Ask; `done` gets the answer, `failed` the node's words, both in the window's thread."""

        async def ask(node: Node) -> T:
            return await act(node.calls)

        self.do_in(ask, done, failed)

    def do_in(
        self,
        act: Callable[[Node], Awaitable[T]],
        done: Callable[[T], object] = lambda _: None,
        failed: Callable[[FolkmootError], object] = lambda _: None,
    ) -> None:
        """Like `do`, for what belongs to calls and stands elsewhere in the node."""

        async def work() -> None:
            try:
                answer = await self._bridge.ask(act)
            except FolkmootError as error:
                failed(error)
            else:
                done(answer)

        self._bridge.run(work(), "ui: act of a call")

    def read(self, fn: Callable[[Calls], T], done: Callable[[T], object] = lambda _: None) -> None:
        """Like `do`, for what the node answers at once."""

        async def ask(calls: Calls) -> T:
            return fn(calls)

        self.do(ask, done)

    def setting(self, key: str, done: Callable[[str | None], object]) -> None:
        """Read a setting of this computer."""

        async def work() -> None:
            # What was just kept may not be written yet.
            kept = self._kept.get(key)
            done(kept or await self._bridge.ask(lambda node: node.settings.get(key)))

        self._bridge.run(work(), "ui: read a setting of calls")

    def keep(self, key: str, value: str) -> None:
        """Keep a setting of this computer."""
        self._kept[key] = value

        async def write(node: Node) -> None:
            await node.settings.set(key, value)

        self._bridge.tell(write)
