"""Where calls are written down: the port; `services.calls_log` is behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.services.call_values import CallId, CallRecord


class CallJournal(Protocol):
    """The log of calls. A device that loses power in a call leaves no end: that is fine."""

    async def started(self, call: CallId, conversation: ConversationId, video: bool) -> None:
        """We started a call."""
        ...

    async def ended(
        self,
        call: CallId,
        conversation: ConversationId,
        video: bool,
        persons: Sequence[PersonId],
        seconds: int,
    ) -> None:
        """We were the last to leave; `persons` took part, for `seconds`."""
        ...

    async def declined(self, call: CallId, conversation: ConversationId, video: bool) -> None:
        """This person said no to a call that rang."""
        ...

    async def recorded(
        self, call: CallId, conversation: ConversationId, seconds: float | None
    ) -> None:
        """We began to record (None), or ended a recording that is so long."""
        ...

    async def history(self, limit: int) -> list[CallRecord]:
        """The newest calls of all conversations, the newest first."""
        ...
