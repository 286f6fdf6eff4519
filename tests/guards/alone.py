"""Which tests run alone: those that see or hear in real time, and would measure the others.

The commands run the other tests side by side, and these one after the other behind them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

_TESTS = Path(__file__).parents[1]
_ALONE = (
    *("integration/media/", "integration/selftest/test_whole", "unit/media/"),
    *("e2e/test_calls", "e2e/test_chromium", "e2e/test_demo", "e2e/test_nat_calls"),
    *("e2e/test_share", "e2e/test_sharing", "e2e/test_sound", "e2e/test_windows"),
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the mark `alone`, before tests are chosen by their marks."""
    for item in items:
        if item.path.is_relative_to(_TESTS):
            where = item.path.relative_to(_TESTS).as_posix()
            if where.startswith(_ALONE):
                item.add_marker("alone")
