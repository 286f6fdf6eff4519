"""What the doctor says where a server is all that two computers share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.nodes import NodeProcess, environment, until
from e2e.server_lab import server_lab, ways

pytestmark = [pytest.mark.long, pytest.mark.needs("netns", "curl", "nft"), pytest.mark.timeout(180)]


def doctor(node: NodeProcess) -> tuple[int, str]:
    """Status and text of the command beside a node."""
    done = subprocess.run(
        [sys.executable, "-m", "folkmoot", "doctor", "--profile", str(node.profile), "--wait"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_relay_and_why_there_is_nothing_better_are_told(tmp_path: Path) -> None:
    with server_lab(tmp_path, "elin", "tomas") as lab:
        for host in ("elin", "tomas"):
            lab.network.drop(host, "udp")  # no way straight through
        elin = lab.founder("elin")
        tomas = lab.joiner("tomas", elin)
        until(lambda: "relay" in ways(elin), "linked through the server", 30)
        status, text = doctor(elin)
        if "FOLKMOOT_SHOW" in os.environ:
            sys.stderr.write(text)
        assert status == 0
        assert "Linked; a server hands everything on" in text
        assert "through a server " in text
        tomas.stop()
        until(lambda: tomas.person not in elin.linked(), "the link gone", 20)
        status, text = doctor(elin)
        if "FOLKMOOT_SHOW" in os.environ:
            sys.stderr.write(text)
        assert status == 1
        assert "(not_there" in text
        lab.kill_server()
        until(lambda: ": connected" not in doctor(elin)[1], "the server missed", 30)
        status, text = doctor(elin)
        if "FOLKMOOT_SHOW" in os.environ:
            sys.stderr.write(text)
        assert status == 1
        assert "(server_away" in text
