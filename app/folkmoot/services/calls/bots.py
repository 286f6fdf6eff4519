"""What a node without a window does in calls by itself: it answers, shares, records.

Refuses to insist: what was ended in a call is not begun again there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from folkmoot.domain.errors import UserError
from folkmoot.services.call_values import Call, CallId, CallPhase, RecordChoice, ShareChoice
from folkmoot.services.events import CallChanged, Event, EventBus
from folkmoot.services.supervisor import Supervisor

AGAIN_S = 1.0
_PASSING = ("not_told",)
"""Refusals that may be over in a moment; any other would be the same again."""
_IN_IT = (CallPhase.JOINED, CallPhase.CALLING)

_log = logging.getLogger(__name__)


class Acts(Protocol):
    """What a bot does with calls."""

    def list(self) -> Sequence[Call]: ...
    async def join(self, call: CallId, *, video: bool = False) -> Call: ...
    async def share(self, call: CallId, choice: ShareChoice) -> None: ...
    async def record(self, call: CallId, choice: RecordChoice) -> None: ...
    def expect_share(self, choice: ShareChoice) -> None: ...


class Bot:
    """Does the same in every call."""

    def __init__(self, calls: Acts, events: EventBus, supervisor: Supervisor) -> None:
        self._calls = calls
        self._events = events
        self._supervisor = supervisor

    def answer_all(self, *, video: bool) -> Callable[[], None]:
        """Join every call that rings; what it returns ends that."""

        def heard(event: Event) -> None:
            if isinstance(event, CallChanged) and event.call.phase is CallPhase.RINGING:
                self._supervisor.start("answer", answer(event.call.id))

        async def answer(call: CallId) -> None:
            if self._phase(call) is CallPhase.RINGING:
                await self._calls.join(call, video=video)

        return self._events.listen(heard)

    def share_in_all(self, choice: ShareChoice) -> Callable[[], None]:
        """Share `choice` as soon as this node is in a call; what it returns ends that."""
        self._calls.expect_share(choice)
        return self._in_each("share", lambda call: self._calls.share(call, choice))

    def record_all(self, choice: RecordChoice) -> Callable[[], None]:
        """Record every call that this node is in; what it returns ends that."""
        return self._in_each("record", lambda call: self._calls.record(call, choice))

    def _in_each(self, what: str, act: Callable[[CallId], Awaitable[None]]) -> Callable[[], None]:
        begun: set[CallId] = set()

        def heard(event: Event) -> None:
            if not isinstance(event, CallChanged):
                return
            call = event.call
            if call.phase not in _IN_IT:
                begun.discard(call.id)
            elif call.id not in begun:
                begun.add(call.id)
                self._supervisor.start(f"{what} in calls", until_done(call.id))

        async def until_done(call: CallId) -> None:
            while self._phase(call) in _IN_IT:
                try:
                    await act(call)
                    return
                except UserError as error:
                    _log.warning("cannot %s in a call: %s", what, error)
                    if error.code not in _PASSING:
                        return
                await asyncio.sleep(AGAIN_S)

        return self._events.listen(heard)

    def _phase(self, call: CallId) -> CallPhase | None:
        return next((one.phase for one in self._calls.list() if one.id == call), None)
