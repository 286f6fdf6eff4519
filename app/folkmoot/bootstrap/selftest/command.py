"""`folkmoot --selftest`: runs every check and prints the report."""

from __future__ import annotations

import platform
import sys
from typing import Any

from folkmoot.bootstrap.selftest.checks import CHECKS
from folkmoot.bootstrap.selftest.report import as_json, is_well
from folkmoot.bootstrap.selftest.runner import Check, Runner, Told, on_signals
from folkmoot.build import build
from folkmoot.media.launcher import program

MISSING = 1
"""Exit status where a capability is missing."""


def run_selftest() -> int:
    """Print the report; 0 if every capability is there, else 1. Leaves nothing behind."""
    on_signals()
    try:
        with Runner(_command) as runner:
            outcomes = runner.run(CHECKS)
    except Told as told:
        return 128 + told.number
    sys.stdout.write(as_json(_about(), outcomes))
    return 0 if is_well(outcomes) else MISSING


def _command(check: Check) -> list[str]:
    return [*program(), "selfcheck", check.name]


def _about() -> dict[str, Any]:
    this = build()
    return {
        "version": this.version,
        "build": this.words,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "frozen": this.frozen,
    }
