"""The log that strangers cannot fill."""

from __future__ import annotations

import logging

import pytest

from folkmoot.services.quiet_log import LINES, WINDOW_S, QuietLog


def test_a_flood_writes_so_many_lines_and_then_how_many_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    quiet = QuietLog(logging.getLogger("test"), lambda: now[0])
    with caplog.at_level(logging.INFO):
        for n in range(LINES + 500):
            quiet.info("line %d", n)
        assert len(caplog.records) == LINES
        now[0] = WINDOW_S
        quiet.info("later")
    assert [record.getMessage() for record in caplog.records[LINES:]] == [
        "… and 500 more lines like the last ones",
        "later",
    ]
