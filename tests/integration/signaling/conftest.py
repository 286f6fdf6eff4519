"""A real server for the tests of a module, as it is shipped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.signal_server import SignalServer, signal_server


@pytest.fixture(scope="module")
def server() -> Iterator[SignalServer]:
    with signal_server() as one:
        yield one
