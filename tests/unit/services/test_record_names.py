"""Names of recorded files: whatever a conversation is called, the file can be made anywhere."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.services.calls.record_names import MAX_BYTES, clean_part, file_stem

STAMP = "2026-11-26 14.30.05"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Design", f"Design {STAMP}"),
        ("  two   spaces ", f"two spaces {STAMP}"),
        ("../../etc/passwd", f"etc passwd {STAMP}"),
        ("..\\..\\autoexec", f"autoexec {STAMP}"),
        ('a/b:c*d?e"f<g>h|i', f"a b c d e f g h i {STAMP}"),
        ("...", f"Call {STAMP}"),
        ("", f"Call {STAMP}"),
        ("\x00\x1b[2J", f"[2J {STAMP}"),
        ("photo\u202egpj.exe", f"photogpj.exe {STAMP}"),
        ("zero\u200bwidth", f"zerowidth {STAMP}"),
        ("CON", f"CON_ {STAMP}"),
        ("nul.txt", f"_nul.txt {STAMP}"),
        ("LPT¹", f"LPT¹_ {STAMP}"),
        ("Bücher und Æsir 会議", f"Bücher und Æsir 会議 {STAMP}"),
    ],
)
def test_a_name_is_kept_as_far_as_it_can_be(name: str, stem: str) -> None:
    assert file_stem(name, STAMP) == stem


@given(st.text(max_size=400))
def test_no_name_leaves_its_folder_or_breaks_a_rule(name: str) -> None:
    part = clean_part(name)
    assert not set(part) & set('<>:"/\\|?*')
    assert not any(unicodedata.category(one).startswith("C") for one in part)
    assert part == part.strip(" ")
    assert not part.startswith(".")
    assert not part.endswith(".")
    assert len(part.encode()) <= MAX_BYTES + 1
    assert clean_part(part).rstrip("_") == part.rstrip("_"), "it is clean already"
    assert len(f"{file_stem(name, STAMP)} 999.mkv".encode()) < 255
