"""The smoke test finds what is wrong with a program: each fake below has one fault."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import smoke

_SOUND = '{"ok": true, "checks": [{"name": "svg", "ok": true, "what": "drawn", "ms": 1}]}'
_LACKS = '{"ok": false, "checks": [{"name": "svg", "ok": false, "what": "no plug-in", "ms": 1}]}'
_FAKE = """
import pathlib, signal, sys, time
arguments = sys.argv[1:]
if arguments == ["--version"]:
    {version}
elif arguments == ["--selftest"]:
    {selftest}
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit({status}))
    {window}
    log = pathlib.Path(arguments[1], "log", "node.log")
    log.parent.mkdir(parents=True)
    log.touch()
    {after}
    while True:
        time.sleep(0.1)
"""
_FINE = {
    "version": "print('folkmoot 0.1.0')",
    "selftest": f"print('''{_SOUND}''')",
    "window": "pass",
    "after": "pass",
    "status": "0",
}


def _faults(folder: Path, monkeypatch: pytest.MonkeyPatch, **instead: str) -> list[str]:
    program = folder / "fake.py"
    program.write_text(_FAKE.format(**(_FINE | instead)))
    found = []
    for check in smoke.CHECKS.values():
        said, stderr = check([sys.executable, str(program)], dict(os.environ))
        found += said + smoke.foreign_lines(stderr, smoke.allowed_lines())
    return found


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = smoke.check_window
    monkeypatch.setitem(smoke.CHECKS, "window", lambda c, e: whole(c, e, seconds=0.2))


def _until_it_ends(command: Sequence[str], environment: smoke.Environment) -> tuple[list[str], str]:
    return smoke.check_window(command, environment, seconds=30)


def test_a_sound_program_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _faults(tmp_path, monkeypatch) == []


@pytest.mark.parametrize(
    ("part", "code", "fault"),
    [
        ("version", "print('something else')", "--version printed"),
        ("version", "print('folkmoot 0.1.0'); sys.exit(3)", "--version ended with 3"),
        ("version", "print('folkmoot 0.1.0'); print('odd', file=sys.stderr)", "odd"),
        ("selftest", f"print('''{_LACKS}'''); sys.exit(1)", "svg: no plug-in"),
        ("selftest", f"print('''{_LACKS}''')", "svg: no plug-in"),
        ("selftest", f"print('''{_SOUND}'''); sys.exit(1)", "ended with 1 and said ok: True"),
        ("selftest", """print('{"ok": true, "checks": []}')""", "checked nothing"),
        ("selftest", "print('Segmentation fault')", "--selftest (0) printed"),
        ("window", "sys.exit(0)", "the window ended by itself with 0"),
        ("window", "print('qt.qpa.plugin: no xcb', file=sys.stderr)", "qt.qpa.plugin: no xcb"),
        ("after", "sys.exit(0)", "the window ended by itself with 0"),
        ("status", "5", "the window ended with 5 when it was closed"),
        ("window", "signal.signal(signal.SIGTERM, signal.SIG_IGN)", "did not close within 2 "),
    ],
)
def test_one_fault_fails_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, code: str, fault: str
) -> None:
    if "by itself" in fault:  # it is waited for, and comes when the machine lets it
        monkeypatch.setitem(smoke.CHECKS, "window", _until_it_ends)
    if "close within" in fault:
        monkeypatch.setattr(smoke, "END_S", 2.0)
    found = _faults(tmp_path, monkeypatch, **{part: code})
    assert any(fault in each for each in found), found


def test_an_allowed_line_has_a_reason(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed.txt"
    allowed.write_text("# It says so of itself.\nlibfoo: fine\n")
    assert smoke.foreign_lines("libfoo: fine\n\nlibfoo: bad\n", smoke.allowed_lines(allowed)) == [
        "libfoo: bad"
    ]
    allowed.write_text("libfoo: fine\n")
    with pytest.raises(ValueError, match="no reason"):
        smoke.allowed_lines(allowed)


def test_the_allow_list_of_this_tree_can_be_read() -> None:
    smoke.allowed_lines()


@pytest.mark.needs("Xvfb")
def test_the_command_runs_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "fake.py"
    display = "import os; assert os.environ['DISPLAY'] != ':none'"
    program.write_text(_FAKE.format(**(_FINE | {"window": display})))
    monkeypatch.setenv("DISPLAY", ":none")
    assert smoke.main([sys.executable, str(program)]) == 0
    program.write_text(_FAKE.format(**(_FINE | {"version": "sys.exit('no Python')"})))
    assert smoke.main([sys.executable, str(program)]) == 1
    assert "version: stderr: no Python" in capsys.readouterr().err
