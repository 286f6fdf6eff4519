"""Reads just enough of an invitation link to say whose it is, before a node is asked."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ConversationId
from folkmoot.ui.connections.names import server_name

PREFIX = "folkmoot://join/"
LIMIT = 4096
LOOK_FIRST_MS = 800
"""So long an invitation that was opened from outside cannot be accepted: the click or the key was
meant for what stood there before."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """The team that a link leads to, as the link says it, and the servers that lead there."""

    team: ConversationId
    team_name: str
    servers: tuple[str, ...] = ()

    @property
    def over(self) -> str:
        """The servers in words, empty for this network."""
        return ", ".join(self.servers)

    @property
    def meeting(self) -> str:
        """How the team is met, in words."""
        if self.servers:
            words = _tr(
                "To meet it, Folkmoot connects to {server}. That server sees the network address "
                "of this computer, but no names and no texts."
            )
            return words.format(server=self.over)
        return _tr("This invitation works on the network of the team.")


def read_invitation(text: str) -> Invitation | None:
    """The invitation in `text`, or None when it is not one."""
    text = text[: LIMIT + 1].strip()
    if len(text) > LIMIT or not text.startswith(PREFIX):
        return None
    try:
        return open_invitation(text)
    except FolkmootError:
        return None


def open_invitation(text: str) -> Invitation:
    """The invitation that `text` is. Raises `UserError` with what is wrong with it."""
    from folkmoot.protocol.invites import read_link

    link = read_link(text)
    servers = [server_name(a) for a in link.addresses if a.startswith(("wss://", "ws://"))]
    return Invitation(link.team, link.team_name, tuple(servers))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Start", text)
