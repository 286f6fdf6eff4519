"""Which entries of a conversation have an effect: the rules of `domain.serve`, log by log.

An entry without the right stays in the log and is forwarded; the projections pass it over.
"""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.domain import serve
from folkmoot.domain.ids import ConversationId, EntryId, LogKey, PersonId
from folkmoot.domain.team import ChannelState, GrantState, TeamState
from folkmoot.storage.book import Book, Log
from folkmoot.storage.rows import Rows


@dataclass(frozen=True, slots=True)
class Scope:
    """One channel (`team` set) or direct conversation (`persons` set) and who may what in it.

    With neither, nothing is known of the conversation yet and nothing in it has an effect.
    """

    key: int
    id: ConversationId
    team: TeamState | None
    persons: tuple[PersonId, ...]

    def counts(self, log: Log) -> bool:
        """Whether entries of this log have any effect here."""
        if self.team is None:
            return log.person in self.persons
        key = LogKey(self.id, log.device, log.grant)
        return serve.judge_log(self.team, key, log.person) is serve.Verdict.TAKE

    def may_post(self, log: Log) -> bool:
        """Messages and reactions."""
        if self.team is None or not self.counts(log):
            return self.team is None and self.counts(log)
        return serve.may_post(self.channel, self._grant(log))

    def may_set(self, log: Log, key: str, value: object) -> bool:
        """Name and topic of a channel; a direct conversation has neither."""
        return (
            self.team is not None
            and self.counts(log)
            and serve.may_set(self.channel, self._grant(log), key)
            and serve.fits_setting(key, value)
        )

    def may_delete_of(self, log: Log, author: PersonId) -> bool:
        """Delete what `author` wrote."""
        grant = self._grant(log) if self.team is not None else None
        return self.counts(log) and serve.may_delete(author, log.person, grant)

    @property
    def channel(self) -> ChannelState:
        """The channel as it was made; only with a team."""
        assert self.team is not None
        return self.team.channels[self.id]

    def _grant(self, log: Log) -> GrantState:
        assert self.team is not None
        return self.team.grants[EntryId(log.grant)]


def scope_of(rows: Rows, book: Book, key: int) -> Scope:
    """What is known of a conversation now."""
    conversation = book.id(rows, key)
    team = book.team_of(rows, conversation)
    return Scope(key, conversation, team, () if team else book.direct_persons(rows, key))
