"""A server that lies, a town that uses it, and the watch over both."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from integration.attacked.town import Town
from lab.lying_server import LyingServer


@pytest.fixture
async def server() -> AsyncIterator[LyingServer]:
    async with LyingServer() as server:
        yield server


@pytest.fixture
async def town(
    tmp_path: Path, server: LyingServer, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Town]:
    """Nobody yet. At the end no part of a node has stopped, and no bug was noted."""
    caplog.set_level(logging.INFO, "folkmoot")
    town = Town(tmp_path)
    yield town
    town.sound()
    await town.aclose()
    bad = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert not [one.getMessage() for one in bad]
