"""Nodes in processes of their own that share and record: who knows, what is in the files."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from e2e.calling import SOURCES, Caller, crew, make_team, talk, wait_state
from e2e.clones import virtual_display
from e2e.nodes import ApiError, NodeProcess, nodes, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(200), pytest.mark.needs("ffprobe")]


def probe(path: str) -> dict[str, Any]:
    """What ffprobe says of a file: its length in seconds, and the kinds of its tracks."""
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", path]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    told = json.loads(done.stdout)
    return {
        "seconds": float(told["format"]["duration"]),
        "kinds": sorted(stream["codec_type"] for stream in told["streams"]),
        "size": [(s["width"], s["height"]) for s in told["streams"] if s["codec_type"] == "video"],
    }


def recordings(one: Caller) -> list[Any]:
    """What this person recorded, the newest first."""
    return one.node.items("/recordings")


def wait_done(one: Caller, state: str = "done") -> Any:
    """The newest recording, once it is in that state."""
    until(lambda: recordings(one) and recordings(one)[0]["state"] == state, f"it is {state}", 20)
    return recordings(one)[0]


def begin(one: Caller, other: Caller, session: str, *, video: bool = True) -> str:
    """A call of two in which both hear, and with `video` see, each other."""
    call = one.start(session, video=video)
    wait_state(other, call, "ringing")
    other.join(call, video=video)
    talk(call, one, other, watch=video)
    return call


def test_nodes_share_and_record_every_call_and_everybody_knows(tmp_path: Path) -> None:
    sharing = (*SOURCES, "--share", "test", "--record", "mkv")
    with (
        nodes(tmp_path, "ann", options=sharing) as [one],
        nodes(tmp_path, "ben", options=(*SOURCES, "--answer")) as [other],
    ):
        ann, ben = Caller(one), Caller(other)
        general = make_team([one, other])
        call = ann.start(general)
        talk(call, ann, ben)
        until(lambda: ben.sees(call, ann)["records"], "Ben knows that he is recorded")
        until(lambda: ben.sees(call, ann)["screen"], "Ben knows that a screen is shared")
        until(
            lambda: ben.figures(call, ann).get("screen_width", 0) > 0,
            "the shared page comes",
            30,
            lambda: str(ben.figures(call, ann)),
        )
        until(lambda: recordings(ann)[0]["duration_s"] >= 5, "five seconds are recorded", 30)
        ann.act(call, "leave")
        held = wait_done(ann)
        found = probe(held["path"])
        assert found["kinds"] == ["audio", "video"]
        assert found["size"] == [(1280, 720)]
        assert abs(found["seconds"] - held["duration_s"]) < 1.0
        assert Path(held["path"]).parent == tmp_path / "ann" / "recordings"
        assert os.stat(held["path"]).st_size == held["size_bytes"]
        assert {person["name"] for person in held["participants"]} == {"ann", "ben"}
        until(lambda: _recorded(ben, general, call), "the log of Ben says who recorded")
        [told] = _recorded(ben, general, call)
        assert told["name"] == "ann"
        assert told["seconds"] >= 5


def _recorded(one: Caller, session: str, call: str) -> list[Any]:
    card = one.card(session, call)
    ended = [] if card is None else [row for row in card["recorded"] if row["seconds"] is not None]
    return list(ended)


def test_a_recording_is_paused_and_ended_and_another_is_begun(tmp_path: Path) -> None:
    with crew(tmp_path, "ann", "ben") as ((ann, ben), general):
        call = begin(ann, ben, general)
        ann.act(call, "record", container="mp4", height=480)
        until(lambda: recordings(ann)[0]["duration_s"] >= 3, "three seconds are recorded", 20)
        ann.act(call, "record", paused=True)
        with pytest.raises(ApiError) as refused:
            ann.act(call, "record")
        assert refused.value.code == "already"
        assert ben.sees(call, ann)["records"], "the notice stays"
        ann.act(call, "record", paused=False)
        ann.act(call, "record", stop=True)
        until(lambda: not ben.sees(call, ann)["records"], "Ben knows that it is over")
        first = wait_done(ann)
        assert probe(first["path"])["size"] == [(854, 480)]
        assert [one["kind"] for one in first["chapters"]] == ["pause"]
        ben.act(call, "record", tracks=True)
        until(lambda: recordings(ben)[0]["duration_s"] >= 3, "Ben records as well", 20)
        ben.act(call, "record", stop=True)
        tracks = probe(wait_done(ben)["path"])["kinds"]
        assert tracks.count("audio") == tracks.count("video") == 2


def test_a_kill_of_the_media_process_leaves_a_file_and_the_call_is_recorded_on(
    tmp_path: Path,
) -> None:
    with crew(tmp_path, "ann", "ben") as ((ann, ben), general):
        call = begin(ann, ben, general)
        ann.act(call, "record")
        until(lambda: recordings(ann)[0]["duration_s"] >= 5, "five seconds are recorded", 20)
        before = recordings(ann)[0]["duration_s"]
        ann.kill_media()
        until(lambda: len(recordings(ann)) == 2, "it goes on in a second file", 30)
        assert ben.sees(call, ann)["records"]
        states = {one["state"] for one in recordings(ann)}
        assert states == {"broken off", "recording"}
        [broken] = [one for one in recordings(ann) if one["state"] == "broken off"]
        assert probe(broken["path"])["seconds"] >= before - 2
        until(
            lambda: max(one["duration_s"] for one in recordings(ann) if one is not broken) >= 2,
            "the second one grows",
            30,
        )


def test_a_kill_of_the_node_leaves_a_file_that_plays(tmp_path: Path) -> None:
    with crew(tmp_path, "ann", "ben") as ((ann, ben), general):
        call = begin(ann, ben, general)
        ann.act(call, "record")
        until(lambda: recordings(ann)[0]["duration_s"] >= 6, "six seconds are recorded", 20)
        before = recordings(ann)[0]["duration_s"]
        ann.node.kill()
        ann.node.start()
        [held] = recordings(ann)
        assert held["state"] == "broken off"
        assert held["duration_s"] >= before - 3
        assert probe(held["path"])["seconds"] >= before - 2


def test_a_share_ends_with_who_shares(tmp_path: Path) -> None:
    with crew(tmp_path, "ann", "ben") as ((ann, ben), general):
        call = begin(ann, ben, general, video=False)
        ann.act(call, "share", kind="test")
        until(lambda: ben.figures(call, ann).get("screen_fps_in", 0) > 0, "pictures come", 30)
        ann.act(call, "share", paused=True)
        until(lambda: ben.sees(call, ann)["screen_paused"], "Ben knows that it stands")
        ann.kill_media()
        until(lambda: ben.sees(call, ann)["state"] == "connected", "it is connected again", 30)
        assert ben.sees(call, ann)["screen_paused"], "shared again as it was"
        ann.act(call, "share", stop=True)
        until(lambda: not ben.sees(call, ann)["screen"], "Ben knows that it is over")
        ann.act(call, "share", kind="window", source_id="../../nothing")
        until(lambda: not ann.sees(call, ann)["screen"], "what is not there is not shared", 30)
        until(lambda: not ben.sees(call, ann)["screen"], "and Ben is told so")


@pytest.mark.needs("Xvfb", "ffprobe")
def test_a_real_screen_is_listed_shared_and_recorded(tmp_path: Path) -> None:
    with virtual_display() as display:
        made = NodeProcess(tmp_path / "ann", "ann", "--listen", "127.0.0.1:0", *SOURCES)
        made.variables["DISPLAY"] = display
        try:
            one = made.start()
            with nodes(tmp_path, "ben", options=(*SOURCES, "--answer")) as [other]:
                ann, ben = Caller(one), Caller(other)
                general = make_team([one, other])
                found = one.get("/webrtc/sources")
                [screen] = [row for row in found["items"] if row["kind"] == "screen"]
                assert (screen["width"], screen["height"]) == (1280, 800)
                call = ann.start(general)
                talk(call, ann, ben)
                ann.act(call, "share", kind="screen", source_id=screen["id"])
                until(
                    lambda: ben.figures(call, ann).get("screen_width", 0) == 1280,
                    "the screen comes",
                    40,
                    lambda: str(ben.figures(call, ann)),
                )
                ben.act(call, "record")
                until(lambda: recordings(ben)[0]["duration_s"] >= 4, "four seconds", 30)
                ben.act(call, "record", stop=True)
                assert [row["kind"] for row in wait_done(ben)["chapters"]] == ["share"]
        finally:
            made.kill()
