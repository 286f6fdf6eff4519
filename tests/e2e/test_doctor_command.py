"""`folkmoot doctor` beside a running node and without one, and what it prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.nodes import NodeProcess, environment, nodes, until


def doctor(profile: Path, *options: str) -> tuple[int, str, str]:
    """(status, output, errors) of the command."""
    done = subprocess.run(
        [sys.executable, "-m", "folkmoot", "doctor", "--profile", str(profile), *options],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def crew(elin: NodeProcess, tomas: NodeProcess) -> None:
    """Elin and Tomas in one team, linked."""
    team = elin.post("/teams", name="Harbour Studio")
    link = elin.call("POST", f"/teams/{team['id']}/invites", {})["link"]
    tomas.post("/teams/join", invite=link)
    until(lambda: tomas.person in elin.linked(), "both linked")


@pytest.mark.long
def test_the_running_node_is_asked_and_goes_on(tmp_path: Path) -> None:
    with nodes(tmp_path, "Elin", "Tomas") as (elin, tomas):
        crew(elin, tomas)
        status, text, errors = doctor(elin.profile)
        assert (status, errors) == (0, "")
        assert "The computer of everybody in your teams is reached." in text
        assert "Tomas" not in text
        assert tomas.person[:8] in text
        assert "Tomas" in doctor(elin.profile, "--names")[1]
        tomas.stop()
        until(lambda: tomas.person not in elin.linked(), "the link gone")
        status, text, _ = doctor(elin.profile, "--wait")
        assert status == 1
        assert f"{tomas.address}: failed" in text
        assert "(refused, offline" in text
        assert "no other Folkmoot runs there" in text
        status, text, _ = doctor(elin.profile, "--json", "--wait")
        report = json.loads(text)
        assert status == 1
        assert "Tomas" not in text
        [row] = [way for way in report["peers"][0]["ways"] if way["address"] == tomas.address]
        assert (row["outcome"], row["code"]) == ("failed", "refused")
        assert row["took_ms"] is not None
        assert elin.session("general")  # it runs on
        asked = elin.call("GET", "/doctor?check=1")
        assert asked["peers"][0]["state"] != "linked"


@pytest.mark.long
def test_without_a_running_program_a_node_is_started_for_the_check(tmp_path: Path) -> None:
    with nodes(tmp_path, "Elin", "Tomas") as (elin, tomas):
        crew(elin, tomas)
        elin.stop()
        status, text, errors = doctor(elin.profile, "--json")
        assert (status, errors) == (0, "")
        [peer] = json.loads(text)["peers"]
        assert (peer["device"], peer["state"]) == (tomas.device, "linked")
        tomas.stop()
        status, text, _ = doctor(elin.profile)
        assert status == 1
        assert "refused" in text
        elin.start()  # the profile is free again, and the node is as it was
        assert elin.session("general")


def test_a_folder_without_a_profile_is_said_so(tmp_path: Path) -> None:
    status, text, errors = doctor(tmp_path / "nowhere")
    assert (status, text) == (1, "")
    assert "There is no profile" in errors
    assert not (tmp_path / "nowhere").exists()
