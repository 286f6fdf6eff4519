"""What the process of one check says to the one that started it: one line of JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the capability is there, and what was done or is wrong."""

    ok: bool
    what: str


def write_answer(answer: Answer) -> str:
    """The line."""
    return json.dumps({"ok": answer.ok, "what": answer.what}) + "\n"


def read_answer(text: str) -> Answer | None:
    """The answer in what a process said; None if there is none."""
    try:
        match json.loads(text):
            case {"ok": bool(ok), "what": str(what)}:
                return Answer(ok, what)
    except ValueError:
        pass
    return None
