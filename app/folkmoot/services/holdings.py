"""What is held of every log, in memory, and the part of it that concerns one peer.

Owns the heads (log, sequence, id) as of the last commit and the digests over them. Refuses to know
contents. A head never goes back: commits that are told out of order change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from folkmoot.domain.entry import Entry, LogHead
from folkmoot.domain.ids import ConversationId, EntryId, LogKey
from folkmoot.protocol.digest import conversation_digest, overall_digest
from folkmoot.protocol.replication import Position
from folkmoot.services.link import Link
from folkmoot.services.ports import Store
from folkmoot.services.registry import TeamRegistry


class HeldLogs:
    """The head of every log that is held."""

    def __init__(self) -> None:
        self._logs: dict[ConversationId, dict[LogKey, Position]] = {}
        self._digests: dict[ConversationId, bytes] = {}

    async def load(self, store: Store) -> None:
        """Take all heads from the store; called once, before links come up."""
        for conversation in await store.conversations_with_entries():
            for held in await store.heads(conversation):
                self._advance(held.head.log, Position(held.head.sequence, held.head.id))

    def update(self, entries: Sequence[Entry]) -> None:
        """Take what a commit added."""
        for entry in entries:
            self._advance(entry.log, Position(entry.header.sequence, entry.id))

    def position(self, log: LogKey) -> Position | None:
        """The head of one log."""
        return self._logs.get(log.conversation, {}).get(log)

    def of(self, conversation: ConversationId) -> Mapping[LogKey, Position]:
        """The heads of a conversation."""
        return self._logs.get(conversation, {})

    def digest(self, conversation: ConversationId) -> bytes:
        """The digest of a conversation."""
        digest = self._digests.get(conversation)
        if digest is None:
            heads = [LogHead(log, *position) for log, position in self.of(conversation).items()]
            digest = self._digests[conversation] = conversation_digest(heads)
        return digest

    def _advance(self, log: LogKey, position: Position) -> None:
        logs = self._logs.setdefault(log.conversation, {})
        held = logs.get(log)
        if held is None or held.sequence < position.sequence:
            logs[log] = position
            self._digests.pop(log.conversation, None)


class PeerView:
    """`folkmoot.protocol.replication.Holdings` for one link: asked anew at each step."""

    def __init__(self, held: HeldLogs, registry: TeamRegistry, link: Link) -> None:
        self._held = held
        self._registry = registry
        self._link = link

    def offered(self) -> Iterable[ConversationId]:
        """What is held and may be shown to the peer, teams first."""
        shared = self._registry.shared_with(self._link.person)
        held = [conversation for conversation in shared if self._held.of(conversation)]
        return sorted(held, key=lambda conversation: not self.is_team(conversation))

    def offers(self, conversation: ConversationId) -> bool:
        """Whether the peer may see this conversation now."""
        return self._registry.may_see(conversation, self._link.person)

    def takes(self, conversation: ConversationId) -> bool:
        """Whether the peer may be asked: it may see it, knows the team's secret, or we know
        nothing of it yet (then each entry is judged as it comes)."""
        if self.offers(conversation):
            return True
        team = self._registry.team_of(conversation)
        if team is not None:
            return team.id == conversation == self._link.team
        return conversation not in self._registry.directs()

    def is_team(self, conversation: ConversationId) -> bool:
        """Whether it is a team's own log."""
        return self._registry.team(conversation) is not None or conversation == self._link.team

    def logs(self, conversation: ConversationId) -> Mapping[LogKey, Position]:
        """The heads; of a team's log first those whose grants the others rest on."""
        logs = self._held.of(conversation)
        team = self._registry.team(conversation)
        if team is None:
            return logs
        depth: dict[EntryId, int] = {id: grant.depth for id, grant in team.grants.items()}
        return dict(sorted(logs.items(), key=lambda item: (depth.get(item[0].grant, -1), item[0])))

    def digest(self, conversation: ConversationId) -> bytes:
        """The digest of a conversation."""
        return self._held.digest(conversation)

    def digest_of_all(self, conversations: Iterable[ConversationId]) -> bytes:
        """The digest over several conversations."""
        return overall_digest((id, self._held.digest(id)) for id in conversations)
