"""Reads just enough of an invitation link to say whose it is, before a node is asked."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ConversationId

PREFIX = "folkmoot://join/"
LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Invitation:
    """The team that a link leads to, as the link says it."""

    team: ConversationId
    team_name: str


def read_invitation(text: str) -> Invitation | None:
    """The invitation in `text`, or None when it is not one."""
    text = text[: LIMIT + 1].strip()
    if len(text) > LIMIT or not text.startswith(PREFIX):
        return None
    from folkmoot.protocol.invites import read_link

    try:
        link = read_link(text)
    except FolkmootError:
        return None
    return Invitation(link.team, link.team_name)
