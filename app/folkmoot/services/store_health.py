"""Faults of the disk as states: a notice from the write that failed to the next one that works.

Refuses to hide anything: whoever asked for the write gets the fault as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.services.ports import Store

LASTING = frozenset({"disk_full", "read_only", "store_damaged"})
"""Faults that stay until somebody mends them; any other is of one write."""
_WRITES = frozenset(
    ("append", "fill_bodies", "save_draft", "mark_read", "set_setting", "save_recording")
)

T = TypeVar("T")
Notice = Callable[[str, str, str], None]


def watch_store(store: Store, notice: Notice) -> Store:
    """`store`, telling `notice(code, message, hint)` when writes begin to fail and work again."""
    return cast(Store, _WatchedStore(store, notice))


class _WatchedStore:
    """Hands every call on to the store and looks at how the writes end."""

    def __init__(self, store: Store, notice: Notice) -> None:
        self._store = store
        self._notice = notice
        self._failing: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in _WRITES:
            return method

        async def watched(*given: Any, **named: Any) -> Any:
            return await self._watch(method(*given, **named))

        return watched

    async def _watch(self, write: Awaitable[T]) -> T:
        try:
            result = await write
        except EnvironmentFault as fault:
            if fault.code in LASTING:
                self._failing.add(fault.code)
                self._notice(fault.code, fault.message, fault.hint)
            raise
        for code in self._failing:
            self._notice(code, "", "")
        self._failing.clear()
        return result
