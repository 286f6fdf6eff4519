"""Whom a text mentions."""

from __future__ import annotations

import pytest

from folkmoot.domain.ids import PersonId
from folkmoot.services.mentions import find_mentions

ADA, ANN, ANNA = (PersonId(bytes([n]) * 32) for n in (1, 2, 3))
NAMES = {"Ada Lovelace": ADA, "Ann": ANN, "Anna": ANNA}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@Ann look", (ANN,)),
        ("@anna look", (ANNA,)),
        ("@Anna and @Ann, @ann again", (ANNA, ANN)),
        ("(@Ada Lovelace)", (ADA,)),
        ("@Ada only", ()),
        ("@Annabel is somebody else", ()),
        ("write to me@Ann.example", ()),
        ("@", ()),
        ("no one", ()),
    ],
)
def test_the_longest_whole_name_after_an_at_is_mentioned(
    text: str, found: tuple[PersonId, ...]
) -> None:
    assert find_mentions(text, NAMES) == found


def test_a_text_full_of_ats_is_done_in_no_time_and_bounded() -> None:
    names = {f"person {n}": PersonId(n.to_bytes(32, "big")) for n in range(500)}
    text = " ".join(f"@person {n}" for n in range(500))
    assert len(find_mentions(text, names)) == 200
    assert find_mentions("@" * 24_000, names) == ()
