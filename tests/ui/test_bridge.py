"""The crossing from the node's thread to the window's keeps the order of what is told."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from folkmoot.services.events import Event, Gap, NoticeChanged
from folkmoot.ui.bridge import Bridge

T = TypeVar("T")


class _TellsThenAnswers:
    """A node that tells an event and answers in the same moment."""

    def __init__(self) -> None:
        self.tell: Callable[[Event], None] = lambda _event: None

    def call(self, fn: Callable[[Any], Awaitable[T]]) -> concurrent.futures.Future[T]:
        self.tell(NoticeChanged("made", "It is made."))
        answer: concurrent.futures.Future[T] = concurrent.futures.Future()
        answer.set_result("made")  # type: ignore[arg-type]
        return answer

    def listen(self, fn: Callable[[Event], None]) -> None:
        self.tell = fn

    def close(self, timeout_s: float = 5.0) -> None:
        """Nothing runs."""


async def _nothing(_node: object) -> str:
    return ""


async def test_an_answer_comes_after_the_events_that_were_told_before_it(qapp: object) -> None:
    node = _TellsThenAnswers()
    bridge = Bridge(node, asyncio.get_running_loop())
    seen: list[Event] = []
    bridge.events.connect(seen.extend)
    node.tell(Gap())
    assert await bridge.ask(_nothing) == "made"
    assert [type(event) for event in seen] == [Gap, NoticeChanged]
