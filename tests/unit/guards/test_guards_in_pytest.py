"""The guards inside a run of pytest: a guarded test goes red, a missing need is told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_TOP = Path(__file__).parents[3]
_BLOCKS = """
import pytest
from pathlib import Path
code = compile("def act():\\n open('/dev/null').close()", {ours!r}, "exec")
exec(code)
{marker}
async def test_it():
    act()
"""

RunInner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_inner(tmp_path: Path) -> RunInner:
    """Run one test file under the guards and the settings of this project."""

    def run(source: str, **environ: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "test_inner.py"
        file.write_text(source)
        environment = {k: v for k, v in os.environ.items() if k != "CI"} | environ
        environment["PYTHONPATH"] = os.pathsep.join(
            str(_TOP / name) for name in ("app", "signaling", "tests")
        )
        environment["QT_QPA_PLATFORM"] = "offscreen"
        arguments = ["-p", "guards.loop", "-p", "guards.needs", "-p", "no:cacheprovider", "-q"]
        config = ["-c", str(_TOP / "pyproject.toml"), "--rootdir", str(tmp_path)]
        return subprocess.run(
            [sys.executable, "-m", "pytest", *arguments, *config, str(file)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def _blocks(marker: str = "") -> str:
    return _BLOCKS.format(ours=str(_TOP / "app" / "pretended.py"), marker=marker)


def test_a_test_in_which_our_code_blocks_a_loop_goes_red(run_inner: RunInner) -> None:
    done = run_inner(_blocks())
    assert done.returncode == 1
    assert "1 blocking call(s) on a loop's thread" in done.stdout
    assert "1 failed" in done.stdout


def test_a_marked_test_may_block_with_a_reason_only(run_inner: RunInner) -> None:
    assert run_inner(_blocks("@pytest.mark.blocks_loop('shows a reason')")).returncode == 0
    assert "needs a reason" in run_inner(_blocks("@pytest.mark.blocks_loop")).stdout


def test_a_warning_of_qt_fails_a_test(run_inner: RunInner) -> None:
    source = "def test_it():\n from PySide6.QtCore import qWarning\n qWarning('rash')\n"
    done = run_inner(source)
    assert done.returncode == 1
    assert "rash" in done.stdout


_NEEDY = "import pytest\n@pytest.mark.needs('no-such-program')\ndef test_it(): pass\n"


def test_a_missing_need_is_told_by_name(run_inner: RunInner) -> None:
    done = run_inner(_NEEDY)
    assert done.returncode == 0
    assert "not run" in done.stdout
    assert "test_inner.py::test_it: no-such-program is not installed" in done.stdout


def test_where_everything_must_run_a_missing_need_fails(run_inner: RunInner) -> None:
    done = run_inner(_NEEDY, CI="true")
    assert done.returncode == 1
    assert "needs no-such-program" in done.stdout
