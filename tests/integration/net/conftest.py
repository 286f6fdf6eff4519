"""The listener fixture of the tests of `net`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from folkmoot.net.limits import LinkLimits
from folkmoot.net.tls import TlsTransport
from integration.net.lab import MakeSide, Side, until


@pytest.fixture
async def make_side() -> AsyncIterator[MakeSide]:
    """Make listeners with limits of the test's choice; all are closed, and nothing may stay."""
    sides: list[Side] = []

    async def make(
        limits: LinkLimits | None = None, *, proves: bool = True, address: str = "127.0.0.1:0"
    ) -> Side:
        side = Side(TlsTransport(limits), proves=proves)
        sides.append(side)
        return await side.listen(address)

    yield make
    for side in sides:
        await side.transport.aclose()
    for side in sides:
        await until(lambda: sum(side.transport.streams for side in sides) == 0)
        assert side.transport.unproved == 0
        assert not side.transport._supervisor.names
