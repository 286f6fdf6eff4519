"""What people may type, and what of it is taken from peers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.domain import names
from folkmoot.domain.errors import UserError


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("  Ann \n", "Ann"), ("Zoë 二", "Zoë 二"), ("x" * 80, "x" * 80), ("\u00a0Ann", "Ann")],
)
def test_a_name_is_trimmed(typed: str, kept: str) -> None:
    assert names.clean_name(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "  ",
        "\u200b\u200d",
        "a\x00b",
        "a\u202eb",
        "a\u202ab",
        "a\u2066b",
        "a\u2069b",
        "a\u200fb",
        "a\nb",
        "x" * 81,
    ],
)
def test_a_name_that_is_empty_long_or_misleading_is_refused(typed: str) -> None:
    with pytest.raises(UserError, match="team name") as caught:
        names.clean_name(typed, "team name")
    assert caught.value.code == "bad_text"


def test_a_channel_name_is_lower_cased_and_without_spaces() -> None:
    assert names.clean_channel_name("  #Boat  Yard ") == "boat-yard"
    assert names.clean_channel_name("\x1b# #0") == "0"
    with pytest.raises(UserError, match="channel name"):
        names.clean_channel_name("#")


def test_a_topic_is_one_line_and_may_be_empty() -> None:
    assert names.clean_topic(" what\nwe  do ") == "what we do"
    assert names.clean_topic("  ") == ""
    with pytest.raises(UserError, match="topic"):
        names.clean_topic("x" * 251)


def test_the_text_of_a_message_keeps_its_lines_and_its_leading_spaces() -> None:
    assert names.clean_text("\n\n    code\r\nmore  \n\n") == "    code\nmore"


@pytest.mark.parametrize("typed", ["", " \n ", "\u200b", "a\0b", "\ud800", "é" * 12_289])
def test_a_text_that_cannot_be_sent_is_refused(typed: str) -> None:
    with pytest.raises(UserError) as caught:
        names.clean_text(typed)
    assert caught.value.code == "bad_text"


@pytest.mark.parametrize("typed", ["", "a b", "\ud800", "👍" * 9, "\u202e"])
def test_what_is_no_emoji_is_refused(typed: str) -> None:
    with pytest.raises(UserError, match="emoji"):
        names.clean_emoji(typed)


def test_a_family_with_a_flag_is_an_emoji() -> None:
    assert names.clean_emoji(" 🏳️‍🌈 ") == "🏳️‍🌈"


@given(st.text(max_size=120))
@pytest.mark.parametrize(
    ("clean", "taken"),
    [
        (names.clean_name, names.is_name),
        (names.clean_channel_name, names.is_name),
        (names.clean_topic, lambda text: names.is_line(text, 250)),
        (names.clean_text, names.is_text),
        (names.clean_emoji, names.is_emoji),
    ],
)
def test_what_was_cleaned_is_taken_by_every_peer_and_cleaning_again_changes_nothing(
    clean: Callable[[str], str], taken: Callable[[str], bool], text: str
) -> None:
    try:
        cleaned = clean(text)
    except UserError:
        return
    assert taken(cleaned)
    assert clean(cleaned) == cleaned
