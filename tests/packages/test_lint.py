"""The scripts, the workflows and the manifest are what their own checkers call clean."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
pytestmark = pytest.mark.timeout(300)


def run(*command: str | Path) -> str:
    """Run in the clone; what it says where it finds fault, else nothing."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def scripts() -> list[str]:
    """Every file of the project that a shell reads."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and re.match(rb"#!.*\b(ba)?sh\b", path.open("rb").readline()):
            found.append(name)
    return found


@pytest.mark.needs("shellcheck")
def test_shell_scripts() -> None:
    found = scripts()
    assert "packaging/setup/environment.sh" in found
    assert run("shellcheck", *found) == ""


@pytest.mark.needs("shellcheck", "registry")
def test_workflows() -> None:
    folder = ROOT / ".venv-lint"
    assert run("packaging/setup/environment.sh", folder, "requirements/lint.txt") == ""
    assert run(folder / "bin/actionlint", *WORKFLOWS) == ""


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    """A tag can be moved to other code, a commit cannot."""
    used = [line.strip().removeprefix("- ") for line in workflow.read_text().splitlines()]
    used = [line for line in used if line.startswith("uses:")]
    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []


@pytest.mark.needs("flatpak-builder")
def test_the_flatpak_manifest() -> None:
    assert run("packaging/linux/flatpak.sh", "--check") == ""
