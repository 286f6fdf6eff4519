"""Links from outside: their form, and that an error never repeats one."""

from __future__ import annotations

import pytest

from folkmoot.domain.errors import UserError
from folkmoot.domain.urls import MAX_URL_LENGTH, check_url, is_url


def test_a_link_is_taken_as_it_is_but_for_the_letters_of_its_scheme() -> None:
    assert check_url("folkmoot://join/Ab-_9") == "folkmoot://join/Ab-_9"
    assert check_url("FolkMoot://join/Ab") == "folkmoot://join/Ab"
    longest = "folkmoot://" + "x" * (MAX_URL_LENGTH - len("folkmoot://"))
    assert check_url(longest) == longest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "folkmoot",
        "folkmoot:",
        "folkmoot://",
        "folkmoot:join/secret",
        " folkmoot://join/secret",
        "folkmoot://join/secret --profile /tmp/x",
        "folkmoot://join/secret\n",
        "folkmoot://join/sec\x00ret",
        "folkmoot://join/sec\x1bret",
        "folkmoot://join/sec\x7fret",
        "folkmoot://join/secrét",
        "folkmoot://join/\u202esecret",
        "https://join/secret",
        "--profile=folkmoot://join/secret",
        "folkmoot://" + "x" * MAX_URL_LENGTH,
    ],
)
def test_anything_else_is_refused_in_words_that_do_not_repeat_it(text: str) -> None:
    with pytest.raises(UserError) as refused:
        check_url(text)
    assert refused.value.code == "wrong_link"
    assert "secret" not in str(refused.value)
    assert refused.value.hint


def test_what_wants_to_be_a_link_is_known_before_it_is_checked() -> None:
    assert is_url("folkmoot://join/a b")
    assert is_url("FOLKMOOT:")
    assert not any(map(is_url, ("node", "", "./folkmoot://x", "--folkmoot://x", "http://x")))
