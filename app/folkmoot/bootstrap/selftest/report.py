"""What a self-test says: one outcome for each check, and the JSON of all of them. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

MAX_WHAT = 400


@dataclass(frozen=True, slots=True)
class Outcome:
    """One capability. `what`: what was done, or what is wrong, in one line. `ms`: how long."""

    name: str
    ok: bool
    what: str
    ms: int


def one_line(words: str) -> str:
    """`words` without line breaks, and not longer than a person reads."""
    line = " ".join(words.split())
    return line if len(line) <= MAX_WHAT else f"{line[: MAX_WHAT - 1]}…"


def is_well(outcomes: Sequence[Outcome]) -> bool:
    """Whether nothing is missing. Where nothing was checked nothing is known."""
    return bool(outcomes) and all(outcome.ok for outcome in outcomes)


def as_json(about: dict[str, Any], outcomes: Sequence[Outcome]) -> str:
    """The report: what `about` says of this copy, ``ok``, and ``checks`` in their order."""
    report = about | {
        "ok": is_well(outcomes),
        "checks": [asdict(outcome) for outcome in outcomes],
    }
    return json.dumps(report, indent=2) + "\n"  # only ASCII, which every terminal takes
