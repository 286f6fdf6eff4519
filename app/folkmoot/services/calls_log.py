"""Calls written into the log of their conversation, and read back as the history of this person.

Owns that this device writes each start and each end once. Refuses to write where this person may
not post; whether a call runs is not its matter.
"""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot.domain.bodies import (
    CALL_DECLINED,
    CALL_ENDED,
    CALL_STARTED,
    RECORDING_BEGAN,
    RECORDING_ENDED,
    Body,
    CallBody,
    RecordingBody,
)
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.domain.serve import grant_to_post
from folkmoot.protocol.bodies import MAX_CALL_PERSONS, MAX_CALL_SECONDS
from folkmoot.services.call_values import CallId, CallRecord
from folkmoot.services.own_log import OwnLog
from folkmoot.services.ports import Store
from folkmoot.services.registry import TeamRegistry

MAX_HISTORY = 200


class CallLog:
    """What this device tells the log of calls."""

    def __init__(self, me: PersonId, store: Store, registry: TeamRegistry, own_log: OwnLog) -> None:
        self._me = me
        self._store = store
        self._registry = registry
        self._own_log = own_log

    async def started(self, call: CallId, conversation: ConversationId, video: bool) -> None:
        """A call of ours began; durable when this returns.

        Raises `UserError` ``not_found``, ``forbidden``. The same call again writes nothing.
        """
        await self._write(conversation, CallBody(call, CALL_STARTED, video))

    async def ended(
        self,
        call: CallId,
        conversation: ConversationId,
        video: bool,
        persons: Sequence[PersonId],
        seconds: float,
    ) -> None:
        """This device was the last to leave; `persons` took part and it was `seconds` long.

        Durable when this returns. Raises like `started`; a second end of ours writes nothing. Of
        more than 256 persons this one and the first of the others are named.
        """
        others = sorted(set(persons) - {self._me})
        kept = others[: MAX_CALL_PERSONS - 1]
        named = sorted({*kept, self._me} if self._me in persons else set(kept))
        whole = max(0, min(round(seconds), MAX_CALL_SECONDS))
        await self._write(conversation, CallBody(call, CALL_ENDED, video, tuple(named), whole))

    async def declined(self, call: CallId, conversation: ConversationId, video: bool) -> None:
        """This person said no to a ring; durable when this returns. Raises like `started`.

        In a channel nothing is written: there nobody misses a call, and a no needs no witnesses.
        """
        if self._registry.team_of(conversation) is None:
            await self._write(conversation, CallBody(call, CALL_DECLINED, video))

    async def recorded(
        self, call: CallId, conversation: ConversationId, seconds: float | None
    ) -> None:
        """This device began to record (`seconds` None), or ended a recording of `seconds`.

        Durable when this returns. Raises like `started`. Each time is written.
        """
        body = RecordingBody(call, RECORDING_BEGAN)
        if seconds is not None:
            whole = max(0, min(round(seconds), MAX_CALL_SECONDS))
            body = RecordingBody(call, RECORDING_ENDED, whole)
        self._check_right(conversation)
        await self._own_log.append(
            conversation,
            body,
            right=lambda state, person: grant_to_post(state, person, conversation),
        )

    async def history(self, limit: int = 50) -> list[CallRecord]:
        """The newest calls, newest first, of every conversation that this person may see."""
        held = await self._store.calls(max(1, min(limit, MAX_HISTORY)))
        return [one for one in held if self._registry.may_see(one.conversation, self._me)]

    def _check_right(self, conversation: ConversationId) -> None:
        if not self._registry.may_see(conversation, self._me):
            raise UserError("not_found", "There is no such conversation.")
        if not self._registry.may_post(conversation, self._me):
            raise UserError(
                "forbidden", "You may read here, but not write.", "Ask an admin of the team."
            )

    async def _write(self, conversation: ConversationId, body: CallBody) -> None:
        self._check_right(conversation)

        async def unless_written() -> tuple[Body, ...]:
            written = await self._store.call_states(conversation, CallId(body.call))
            return () if body.state in written else (body,)

        await self._own_log.amend(
            conversation,
            unless_written,
            right=lambda state, person: grant_to_post(state, person, conversation),
        )
