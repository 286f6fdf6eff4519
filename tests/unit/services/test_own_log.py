"""The own log of a team has an end that is said in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.nodes import open_node
from folkmoot.domain.errors import UserError
from folkmoot.services import own_log


async def test_a_full_log_of_a_team_is_said_and_messages_still_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone = await open_node(tmp_path)
    node = lone.node
    team = await node.teams.create("Crew")
    [general] = await node.conversations.list()
    monkeypatch.setattr(own_log, "MAX_TEAM_LOG_ENTRIES", 12)
    state = node.registry.team(team.id)
    assert state is not None
    while state.entries < 13:  # with the genesis, which is a log of its own
        await node.conversations.create_channel(team.id, f"channel {state.entries}")
        state = node.registry.team(team.id)
        assert state is not None
    with pytest.raises(UserError) as full:
        await node.conversations.create_channel(team.id, "one more")
    assert full.value.code == "log_full"
    assert "one more" not in [shown.name for shown in await node.conversations.list()]
    message = await node.messages.post(general.id, "still here")
    assert message.text == "still here"
    await node.aclose()
