"""What the self-test prints, and what one check says to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from folkmoot.bootstrap.selftest.answer import Answer, read_answer, write_answer
from folkmoot.bootstrap.selftest.checks import BY_NAME, CHECKS
from folkmoot.bootstrap.selftest.child import load, make_check
from folkmoot.bootstrap.selftest.report import MAX_WHAT, Outcome, as_json, is_well, one_line
from folkmoot.domain.errors import Lacking, UserError

WELL, BROKEN = Outcome("svg", True, "drawn", 12), Outcome("mdns", False, "not heard", 3)
PROMISED = {
    *("qt_platform", "svg", "image_formats", "media_player", "sound", "codecs", "loopback_call"),
    *("full_text", "tls_proofs", "mdns", "resources", "translations"),
}


def test_one_broken_check_breaks_the_report() -> None:
    assert is_well([WELL])
    assert not is_well([WELL, BROKEN])


def test_a_report_of_nothing_is_not_well() -> None:
    assert not is_well([])


def test_the_report_has_the_shape_that_others_read() -> None:
    read = json.loads(as_json({"version": "1", "frozen": False}, [WELL, BROKEN]))
    assert read == {
        "version": "1",
        "frozen": False,
        "ok": False,
        "checks": [
            {"name": "svg", "ok": True, "what": "drawn", "ms": 12},
            {"name": "mdns", "ok": False, "what": "not heard", "ms": 3},
        ],
    }


def test_what_is_said_is_one_line_of_bounded_length() -> None:
    assert one_line("a\nb\t c ") == "a b c"
    assert len(one_line("x" * 10_000)) == MAX_WHAT


@pytest.mark.parametrize("ok", [True, False])
def test_an_answer_comes_back_as_it_was_written(ok: bool) -> None:
    answer = Answer(ok, "“seen”\nand heard")
    assert read_answer(write_answer(answer)) == answer


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"ok": 1, "what": "x"}', '{"ok": true}', '{"what": "x"}']
)
def test_what_is_no_answer_is_none(text: str) -> None:
    assert read_answer(text) is None


def test_whatever_a_check_raises_is_an_answer(tmp_path: Path) -> None:
    def lacking(_: Path) -> str:
        raise Lacking("The plugin is missing.")

    def hinted(_: Path) -> str:
        raise UserError("code", "This is wrong.", "Do that.")

    def bug(_: Path) -> str:
        raise KeyError("name")

    assert make_check(lambda: lacking, tmp_path) == Answer(False, "The plugin is missing.")
    assert make_check(lambda: hinted, tmp_path) == Answer(False, "This is wrong. Do that.")
    assert make_check(lambda: bug, tmp_path) == Answer(False, "KeyError: 'name'")


def test_a_module_that_is_missing_is_an_answer(tmp_path: Path) -> None:
    answer = make_check(lambda: load("folkmoot.no_such_module:check"), tmp_path)
    assert not answer.ok
    assert "no_such_module" in answer.what


def test_every_promised_check_is_there_once_and_can_be_loaded() -> None:
    assert set(BY_NAME) >= PROMISED
    assert len(BY_NAME) == len(CHECKS)
    for check in CHECKS:
        assert callable(load(check.where)), check.name
