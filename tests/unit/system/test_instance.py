"""One instance per profile, by a lock that ends with the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from folkmoot.system.instance import NODE, WINDOW, Instance, ProfileInUse
from folkmoot.system.profile import open_profile

HOLD = """
import sys
from pathlib import Path
from folkmoot.system.instance import Instance
from folkmoot.system.profile import open_profile
held = Instance(open_profile(Path(sys.argv[1])), "node")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_instance_is_refused_and_told_what_the_first_is(tmp_path: Path) -> None:
    profile = open_profile(tmp_path)
    first = Instance(profile, WINDOW)
    with pytest.raises(ProfileInUse) as raised:
        Instance(profile, NODE)
    assert raised.value.code == "profile_in_use"
    assert raised.value.kind == WINDOW
    assert "open window" in raised.value.message
    assert "--profile" in raised.value.hint
    first.release()
    Instance(profile, NODE).release()


def test_the_claim_of_a_killed_process_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ProfileInUse) as raised:
            Instance(open_profile(tmp_path), WINDOW)
        assert raised.value.kind == NODE
        assert str(holder.pid) in raised.value.message
        holder.kill()
        holder.wait(10)
    Instance(open_profile(tmp_path), WINDOW).release()


def test_a_lock_file_with_strange_content_still_locks(tmp_path: Path) -> None:
    profile = open_profile(tmp_path)
    held = Instance(profile, NODE)
    profile.lock.write_bytes(b"\xff\xfe nonsense, and more of it")
    with pytest.raises(ProfileInUse) as raised:
        Instance(profile, NODE)
    assert raised.value.kind == ""
    held.release()
