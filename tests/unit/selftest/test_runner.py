"""Checks in processes of their own: what hangs, crashes or says nothing takes no other with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from folkmoot.bootstrap.selftest.report import Outcome
from folkmoot.bootstrap.selftest.runner import Check, Runner

WELL = 'print(\'{"ok": true, "what": "done"}\')'


def run(**programs: str) -> dict[str, Outcome]:
    """Run each program as a check."""
    checks = [Check(name, "", 30.0) for name in programs]
    return run_checks(checks, programs)


def run_checks(checks: list[Check], programs: dict[str, str]) -> dict[str, Outcome]:
    """Run `checks`; each is the program of its name."""
    with Runner(lambda check: [sys.executable, "-c", programs[check.name]]) as runner:
        outcomes = runner.run(checks)
        folder = runner._folder
    assert [each.name for each in outcomes] == [check.name for check in checks]
    assert not folder.exists()
    return {each.name: each for each in outcomes}


def test_a_check_that_answers_is_taken_at_its_word() -> None:
    done = run(good=WELL, bad='print(\'{"ok": false, "what": "no plugin"}\')')
    assert done["good"].ok
    assert done["good"].what == "done"
    assert not done["bad"].ok
    assert done["bad"].what == "no plugin"


def test_a_check_that_hangs_fails_in_words_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = tmp_path / "spoken"
    hanging = "import pathlib, sys, time\n"
    hanging += "print('waiting for a plugin', file=sys.stderr, flush=True)\n"
    hanging += f"pathlib.Path({str(spoken)!r}).touch()\ntime.sleep(600)"
    wait = subprocess.Popen.wait

    def wait_once_it_spoke(process: subprocess.Popen[bytes], limit_s: float | None = None) -> int:
        if limit_s == 2.0:  # a machine may take longer than that to start it at all
            _wait(spoken.exists)
        return wait(process, limit_s)

    monkeypatch.setattr(subprocess.Popen, "wait", wait_once_it_spoke)
    checks = [Check("hangs", "", 2.0), Check("good", "", 30.0), Check("later", "", 30.0)]
    done = run_checks(checks, {"hangs": hanging, "good": WELL, "later": WELL})
    assert not done["hangs"].ok
    assert "hung" in done["hangs"].what
    assert "2 s" in done["hangs"].what
    assert done["hangs"].what.endswith("waiting for a plugin")
    assert done["good"].ok
    assert done["later"].ok


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_a_check_that_crashes_fails_in_words() -> None:
    done = run(crashes="import os, signal; os.kill(os.getpid(), signal.SIGABRT)", good=WELL)
    assert not done["crashes"].ok
    assert "SIGABRT" in done["crashes"].what
    assert done["good"].ok


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("raise SystemExit(3)", "status 3"),
        ("pass", "said nothing"),
        ("print('nonsense')", "said nothing"),
        ("import no_such_module", "no_such_module"),
    ],
)
def test_a_check_that_says_nothing_fails(program: str, said: str) -> None:
    done = run(silent=program)
    assert not done["silent"].ok
    assert said in done["silent"].what


def test_a_program_that_is_not_there_fails_in_words() -> None:
    with Runner(lambda _: ["/no/such/program"]) as runner:
        (outcome,) = runner.run([Check("none", "")])
    assert not outcome.ok
    assert "could not be started" in outcome.what


def test_what_a_check_says_on_stderr_is_told_with_its_name(
    capfd: pytest.CaptureFixture[str],
) -> None:
    run(loud=f"import sys; print('a warning', file=sys.stderr); {WELL}", quiet=WELL)
    assert capfd.readouterr().err == "loud: a warning\n"


def test_a_check_works_in_a_folder_of_its_own_that_goes_away() -> None:
    program = """
        import json, pathlib, tempfile
        path = pathlib.Path(tempfile.gettempdir(), "left behind")
        path.write_text("x")
        print(json.dumps({"ok": True, "what": str(path)}))
    """
    done = run(one=textwrap.dedent(program), two=textwrap.dedent(program))
    places = {Path(each.what).parent for each in done.values()}
    assert len(places) == 2
    assert not any(place.exists() for place in places)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")
def test_what_a_check_started_ends_with_it() -> None:
    program = """
        import json, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(json.dumps({"ok": True, "what": str(child.pid)}))
    """
    done = run(parent=textwrap.dedent(program))
    assert _is_gone(int(done["parent"].what))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_and_leaves_nothing(tmp_path: Path, kind: signal.Signals) -> None:
    program = f"""
        import sys
        from folkmoot.bootstrap.selftest.runner import Check, Runner, Told, on_signals
        hang = "import os, time; print(os.getpid(), file=open({str(tmp_path / "pid")!r}, 'w'), "
        hang += "flush=True); time.sleep(60)"
        on_signals()
        try:
            with Runner(lambda _: [sys.executable, "-c", hang]) as runner:
                runner.run([Check("hangs", "", 50.0)])
        except Told as told:
            raise SystemExit(128 + told.number)
    """
    place = tmp_path / "temporary"
    place.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=os.environ | {"TMPDIR": str(place), "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        written = tmp_path / "pid"
        _wait(lambda: written.exists() and written.read_text().strip() != "")
        process.send_signal(kind)
        assert process.wait(30) == 128 + kind
    finally:
        process.kill()
        process.wait()
    assert _is_gone(int(written.read_text()))
    assert list(place.iterdir()) == []


def _is_gone(pid: int) -> bool:
    def gone() -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        return state == "Z"  # dead; who adopted it has not looked yet

    _wait(gone)
    return True


def _wait(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)
