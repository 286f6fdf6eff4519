"""Records seen on this network: hints where somebody may be, and nothing more.

Owns the tags that are published for our teams and the records seen lately. Refuses to believe a
record: a tag only says whom it may be worth to dial.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable

from folkmoot.domain.ids import ConversationId
from folkmoot.services.ports import Sighting
from folkmoot.services.registry import TeamRegistry

TAG_BYTES = 8
MAX_SIGHTINGS = 256


def team_tag(secret: bytes, instance: str) -> bytes:
    """What a member publishes under an instance name, to be known by other members only."""
    return hmac.digest(secret, instance.encode(), "sha256")[:TAG_BYTES]


class Sightings:
    """What is seen now; the record not seen for longest is forgotten first."""

    def __init__(self, registry: TeamRegistry) -> None:
        self._registry = registry
        self._seen: OrderedDict[str, Sighting] = OrderedDict()
        self._listeners: list[Callable[[Sighting], None]] = []

    def listen(self, listener: Callable[[Sighting], None]) -> None:
        """Be told of every record that appears or changes."""
        self._listeners.append(listener)

    def tags(self, instance: str) -> list[bytes]:
        """The tags to publish under our own instance name."""
        teams = self._registry.teams()
        return [team_tag(state.secrets[-1], instance) for state in teams if state.secrets]

    def see(self, sighting: Sighting) -> None:
        """Discovery saw a record, or saw it go."""
        self._seen.pop(sighting.instance, None)
        if sighting.gone:
            return
        self._seen[sighting.instance] = sighting
        if len(self._seen) > MAX_SIGHTINGS:
            self._seen.popitem(last=False)
        for listener in self._listeners:
            listener(sighting)

    def now(self) -> list[Sighting]:
        """Every record that is there, the newest last."""
        return list(self._seen.values())

    def teams_of(self, sighting: Sighting) -> list[ConversationId]:
        """Our teams whose tag the record carries."""
        return [
            state.id
            for state in self._registry.teams()
            if any(team_tag(s, sighting.instance) in sighting.tags for s in state.secrets)
        ]
