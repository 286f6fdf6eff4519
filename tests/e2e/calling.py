"""Calls of real nodes, told and asked through their local API."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from e2e.nodes import NodeProcess, nodes, until

SOURCES = ("--no-discovery", "--microphone", "test", "--camera", "test")
ROOMS = "/webrtc/rooms"
NO_SOUND_BPS, SOUND_BPS = 6_000, 10_000
"""Below the first a microphone is closed, above the second it is open."""


class Caller:
    """One node and what its person does with calls."""

    def __init__(self, node: NodeProcess) -> None:
        self.node = node

    # --- acts

    def start(self, session: str, *, video: bool = True) -> str:
        """Start a call there and ring; its id."""
        media = {"audio": True, "video": video}
        return str(self.node.post(ROOMS, session=session, media=media)["id"])

    def join(self, call: str, *, video: bool = True) -> None:
        """Answer or join."""
        self.node.post(f"{ROOMS}/{call}/join", audio=True, video=video)

    def act(self, call: str, what: str, **body: object) -> Any:
        """One of the acts without a path of their own, as ``leave``."""
        return self.node.post(f"{ROOMS}/{call}/{what}", **body)

    def control(self, call: str, who: Caller, action: str) -> None:
        """``mute`` or ``remove`` somebody."""
        self.node.post(f"{ROOMS}/{call}/participants/{who.node.person}/{action}")

    # --- what is there

    def room(self, call: str) -> Any:
        """The call, None when it is over."""
        return next((one for one in self.node.items(ROOMS) if one["id"] == call), None)

    def state(self, call: str) -> str:
        """Where this person stands with it; ``ended`` when it is over."""
        room = self.room(call)
        return "ended" if room is None else str(room["state"])

    def sees(self, call: str, who: Caller) -> dict[str, Any]:
        """The other as a participant; empty when they are not there."""
        room = self.room(call)
        there = [] if room is None else room["participants"]
        found = [one for one in there if one["device"] == who.node.device]
        return dict(found[0]) if found else {}

    def present(self, call: str) -> set[str]:
        """Names of all devices that are in the call."""
        room = self.room(call)
        there = [] if room is None else room["participants"]
        return {one["name"] for one in there if one["device"]}

    def figures(self, call: str, who: Caller) -> dict[str, Any]:
        """The last second of what comes from the other; empty before there is one."""
        if self.room(call) is None or self.state(call) not in ("joined", "calling"):
            return {}
        rows = self.node.items(f"{ROOMS}/{call}/stats")
        found = [row for row in rows if row["device"] == who.node.device]
        return dict(found[0]) if found else {}

    def hears(self, call: str, who: Caller) -> bool:
        """Whether sound of an open microphone came within the last second."""
        return int(self.figures(call, who).get("audio_in_bps", 0)) > SOUND_BPS

    def hears_now(self, call: str, who: Caller) -> bool:
        """Whether the other is connected and their sound plays now, to a quarter of a second."""
        seen = self.sees(call, who)
        return bool(seen) and seen["state"] == "connected" and bool(seen["speaking"])

    def watches(self, call: str, who: Caller) -> bool:
        """Whether pictures move."""
        row = self.figures(call, who)
        return bool(row) and row["fps_in"] > 3 and row["width"] > 0

    def card(self, session: str, call: str) -> Any:
        """The call in the log of the conversation."""
        messages = self.node.items(f"/chat/sessions/{session}/messages?limit=50")
        cards = [one["call"] for one in messages if one["call"] is not None]
        return next((card for card in cards if card["id"] == call), None)

    def media_pid(self) -> int:
        """The media process of the node; 0 while none runs."""
        assert self.node.process is not None
        return _find_media(self.node.process.pid)

    def kill_media(self) -> float:
        """kill -9 of the media process; when that was."""
        pid = self.media_pid()
        assert pid, "a media process runs"
        os.kill(pid, signal.SIGKILL)
        return time.monotonic()


def _find_media(root: int) -> int:
    """The process below `root` whose command line says ``media``."""
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"media" in words:
                return pid
        for task in Path("/proc").glob(f"{pid}/task/*/children"):
            with contextlib.suppress(OSError):
                waiting += [int(word) for word in task.read_text().split()]
    return 0


@contextlib.contextmanager
def crew(folder: Path, *names: str) -> Iterator[tuple[list[Caller], str]]:
    """Nodes on loopback in one team, and its first channel."""
    with nodes(folder, *names, options=SOURCES) as made:
        yield [Caller(node) for node in made], make_team(made)


def make_team(made: Sequence[NodeProcess]) -> str:
    """One team of all, linked with each other; the id of #general."""
    first, *others = made
    team = first.post("/teams", name="Crew")
    link = first.post(f"/teams/{team['id']}/invites")["link"]
    for other in others:
        other.post("/teams/join", invite=link)
    everybody = {node.person for node in made}
    for node in made:
        until(partial(node.session, "general"), f"{node.name} sees the channel")
        until(partial(_is_linked, node, everybody), f"{node.name} is linked", 40)
    return str(first.session("general")["id"])


def _is_linked(node: NodeProcess, persons: set[str]) -> bool:
    return persons <= node.linked() | {node.person}


def make_direct(one: Caller, other: Caller) -> str:
    """The conversation of two, known to both."""
    made = one.node.post("/chat/sessions", kind="direct", participants=[other.node.person])
    session = str(made["id"])
    one.node.post(f"/chat/sessions/{session}/messages", text="Hello")
    until(lambda: other.node.texts_or_none(session), "the direct conversation is there")
    return session


def figure(words: str) -> None:
    """A measured figure, for whoever runs the test with ``-s`` or ``-rP``."""
    print(f"\n  {words}")  # noqa: T201


def talk(call: str, *callers: Caller, within_s: float = 30.0, watch: bool = True) -> None:
    """Wait until everybody hears, and sees, everybody else."""
    for one in callers:
        for other in callers:
            if one is not other:
                wait_heard(one, call, other, within_s)
                if watch:
                    wait_watched(one, call, other, within_s)


def wait_heard(one: Caller, call: str, other: Caller, within_s: float = 30.0) -> None:
    """Wait until sound comes."""
    until(
        lambda: one.hears(call, other),
        f"{one.node.name} hears {other.node.name}",
        within_s,
        lambda: f"{one.figures(call, other)} {one.sees(call, other)}",
    )


def wait_watched(one: Caller, call: str, other: Caller, within_s: float = 30.0) -> None:
    """Wait until pictures come."""
    until(
        lambda: one.watches(call, other),
        f"{one.node.name} sees {other.node.name}",
        within_s,
        lambda: str(one.figures(call, other)),
    )


def wait_end_written(one: Caller, session: str, call: str, within_s: float = 20.0) -> Any:
    """The card of the call, as soon as its end is in the log."""
    until(
        lambda: (one.card(session, call) or {}).get("ended_at"),
        f"the end in the log of {one.node.name}",
        within_s,
        lambda: str(one.card(session, call)),
    )
    return one.card(session, call)


def measure_gap(call: str, one: Caller, other: Caller, since: float) -> float:
    """Seconds from `since` until both hear each other again.

    0 when within three seconds nobody stopped hearing: shorter than a second is not seen.
    """
    pairs = ((one, other), (other, one))
    while all(a.hears_now(call, b) for a, b in pairs):
        if time.monotonic() > since + 3:
            return 0.0
    until(
        lambda: all(a.hears_now(call, b) for a, b in pairs),
        "sound is back",
        60,
        lambda: str([(a.sees(call, b), a.figures(call, b)) for a, b in pairs]),
    )
    return time.monotonic() - since


def wait_state(one: Caller, call: str, state: str, within_s: float = 20.0) -> None:
    """Wait until a person stands so with a call."""
    until(
        lambda: one.state(call) == state,
        f"{one.node.name} is {state}",
        within_s,
        lambda: str(one.room(call)),
    )
