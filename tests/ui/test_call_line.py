"""What the window asks of the calls of its node."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

from folkmoot.ui.call.line import Line


def test_a_setting_that_was_just_kept_is_known_before_it_is_written() -> None:
    """Reading goes past the writer of the store."""
    read: list[str | None] = []
    work: list[Coroutine[Any, Any, None]] = []

    class Slow:
        """A bridge whose node has written nothing yet."""

        def tell(self, _write: object) -> None:
            return None

        def run(self, coroutine: Coroutine[Any, Any, None], _name: str) -> None:
            work.append(coroutine)

        async def ask(self, _question: object) -> str | None:
            return "old"

    line = Line(cast(Any, Slow()))
    line.setting("call.layout", read.append)
    asyncio.run(work.pop())
    line.keep("call.layout", "grid")
    line.setting("call.layout", read.append)
    asyncio.run(work.pop())
    assert read == ["old", "grid"]
