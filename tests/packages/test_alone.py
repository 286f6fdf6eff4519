"""`alone.sh`: nothing stays of a run, also of one that is killed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from e2e.nodes import until

pytestmark = pytest.mark.needs("netns")
_ALONE = Path(__file__).parent / "alone.sh"
_SCRIPT = """
ip netns add left
mount -t tmpfs folkmoot-left "$0"
setsid sleep "$1" &
touch "$0/mounted"
echo ready
wait
"""


def test_what_a_killed_run_mounted_made_and_started_is_gone(tmp_path: Path) -> None:
    seconds = str(86_400_000 + os.getpid())
    process = subprocess.Popen(
        [_ALONE, "sh", "-c", _SCRIPT, tmp_path, seconds], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        until(lambda: _runs(seconds), "what it starts runs")
    finally:
        process.kill()
        process.wait(20)
    until(lambda: not _runs(seconds), "what it started is gone")
    assert list(tmp_path.iterdir()) == []
    mounts = Path("/proc/self/mounts").read_text()
    assert "folkmoot-left" not in mounts
    assert not Path("/run/netns/left").exists()


def test_the_status_of_the_command_is_handed_on() -> None:
    assert subprocess.run([_ALONE, "sh", "-c", "exit 7"], check=False).returncode == 7


def _runs(word: str) -> bool:
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes().split(b"\0"))
        except OSError:
            continue  # it just ended
    return any(words[0] == b"sleep" and word.encode() in words for words in lines)
