"""One running node without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from builders.nodes import LoneNode, open_node
from folkmoot.services.values import Conversation, Team


@pytest.fixture
async def lone(tmp_path: Path) -> AsyncIterator[LoneNode]:
    """Ada's node."""
    opened = await open_node(tmp_path)
    yield opened
    await opened.node.aclose()


@pytest.fixture
async def team(lone: LoneNode) -> Team:
    """A team of Ada's."""
    return await lone.node.teams.create("Harbour Studio")


@pytest.fixture
async def general(lone: LoneNode, team: Team) -> Conversation:
    """Its first channel."""
    [channel] = await lone.node.conversations.list()
    return channel
