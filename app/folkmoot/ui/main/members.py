"""The list of a team's members as it is shown: who is there first, then by name."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from folkmoot.domain.ids import ConversationId
from folkmoot.services.values import PresenceState
from folkmoot.ui.main.right_pane import MemberState
from folkmoot.ui.main.state import presence_words, role_words, way_line
from folkmoot.ui.model import WindowModel


def member_states(model: WindowModel, team: ConversationId) -> list[MemberState]:
    """Every member of a team, ready to be shown."""
    found = []
    for member in model.members.get(team, ()):
        presence = model.state_of(member.person)
        known = model.presence.get(member.person)
        line = known.text if known and known.text else presence_words(presence)
        if member.is_me:
            line = QCoreApplication.translate("Main", "You")
        line, icon = (line, "") if member.is_me else way_line(model, member.person, line)
        role = role_words(member.role)
        found.append(
            MemberState(member.person, member.name, line, role, presence, member.is_me, icon)
        )
    offline = PresenceState.OFFLINE
    return sorted(found, key=lambda m: (m.presence is offline, m.name.casefold(), m.person))
