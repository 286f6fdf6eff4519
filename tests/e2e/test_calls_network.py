"""Calls over a bad network: loss, a dead link, a cut, another address in the middle of it.

Each node is on a host of its own behind the lossy switch.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from e2e.calling import Caller, figure, make_team, measure_gap, talk, wait_state
from e2e.nodes import NodeProcess, until
from lab.lan import LossyLan, lossy_lan
from lab.weather import FINE, Weather

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs("netns", "tap", "curl"),
    pytest.mark.timeout(280),
]
SOURCES = ("--microphone", "test", "--camera", "test")
MOST_S = 9.0
"""The aim is 3 seconds; a busy computer gets three times that."""
MOST_LOOKS = 0.75
"""A busy computer may miss seconds of sound; a call that fell silent misses all that follow."""


@contextlib.contextmanager
def _two_in_a_call(folder: Path, wifi: str = "") -> Iterator[tuple[LossyLan, Caller, Caller, str]]:
    """Ann and Ben, each on a host, in a call of a channel. `wifi`: Ben's second address."""
    with lossy_lan("ann", "ben") as lan:
        if wifi:
            lan.add_card("ben", "wlan0", wifi)
        made = [
            NodeProcess(folder / host, host, *SOURCES, prefix=lan.inside(host))
            for host in lan.hosts
        ]
        try:
            for node in made:
                node.start()
            general = make_team(made)
            ann, ben = (Caller(node) for node in made)
            call = ann.start(general)
            wait_state(ben, call, "ringing")
            ben.join(call)
            talk(call, ann, ben)
            yield lan, ann, ben, call
        finally:
            for node in made:
                node.kill()


def _seconds_heard(one: Caller, call: str, other: Caller, seconds: float) -> float:
    """The share of looks, four a second for so long, at which sound came."""
    looks, heard = 0, 0
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        looks += 1
        heard += one.hears(call, other)
        time.sleep(max(0.0, now + 0.25 - time.monotonic()))
    return heard / looks


def test_a_call_stays_up_with_loss_and_a_long_way(tmp_path: Path) -> None:
    with _two_in_a_call(tmp_path) as (lan, ann, ben, call):
        lan.set(Weather(delay_ms=50, loss=0.05))
        share = _seconds_heard(ann, call, ben, 15), _seconds_heard(ben, call, ann, 15)
        row = until(lambda: ann.figures(call, ben), "figures")
        figure(f"5 % loss, 100 ms: heard {share}, {row}")
        assert min(share) >= MOST_LOOKS
        assert row["rtt_ms"] > 80
        until(lambda: ann.figures(call, ben).get("fps_in", 0) > 10, "pictures move")
        assert ann.present(call) == ben.present(call) == {"ann", "ben"}
        for one, other in ((ann, ben), (ben, ann)):
            assert one.sees(call, other)["state"] == "connected"


def test_a_call_goes_on_while_the_link_is_cut_and_is_signalled_afterwards(tmp_path: Path) -> None:
    with _two_in_a_call(tmp_path) as (lan, ann, ben, call):
        lan.set(replace(FINE, cut_tcp=True))
        cut_at = time.monotonic()
        until(lambda: ben.node.person not in ann.node.linked(), "the link is dead", 20)
        share = _seconds_heard(ann, call, ben, 30 - (time.monotonic() - cut_at))
        assert share >= MOST_LOOKS
        assert ben.sees(call, ann)["state"] == "connected"
        ben.act(call, "mute", audio=False)
        lan.set(FINE)
        mended_at = time.monotonic()
        until(lambda: ann.sees(call, ben)["audio"] is False, "Ann sees that Ben is muted", 30)
        figure(f"link cut for 30 s: signalled {time.monotonic() - mended_at:.2f} s after its end")
        ben.act(call, "mute", audio=True)
        talk(call, ann, ben)


def test_sound_is_back_soon_after_an_address_changed(tmp_path: Path) -> None:
    with _two_in_a_call(tmp_path) as (lan, ann, ben, call):
        for number, (mover, host) in enumerate(((ben, "ben"), (ann, "ann"))):
            lan.move(host, f"10.77.0.{40 + number}")
            back_s = measure_gap(call, ann, ben, time.monotonic())
            figure(f"the address of {mover.node.name} changed: sound is back after {back_s:.2f} s")
            assert back_s < MOST_S
            talk(call, ann, ben)
            everybody = {ann.node.person, ben.node.person}
            for one in (ann, ben):
                until(partial(_knows, one, everybody), f"the link of {one.node.name}", 20)


def test_sound_is_back_soon_after_the_cable_was_pulled_beside_wifi(tmp_path: Path) -> None:
    with _two_in_a_call(tmp_path, wifi="10.77.0.50") as (lan, ann, ben, call):
        lan.unplug("ben", "eth0")
        back_s = measure_gap(call, ann, ben, time.monotonic())
        figure(f"cable pulled, Wi-Fi goes on: sound is back after {back_s:.2f} s")
        assert back_s < MOST_S
        talk(call, ann, ben)
        for one in (ann, ben):
            until(partial(_knows, one, {ann.node.person, ben.node.person}), "linked again", 20)


def _knows(one: Caller, persons: set[str]) -> bool:
    return persons <= one.node.linked() | {one.node.person}


def test_a_call_goes_on_after_everything_was_cut(tmp_path: Path) -> None:
    with _two_in_a_call(tmp_path) as (lan, ann, ben, call):
        lan.cut(True)
        until(lambda: ann.sees(call, ben)["state"] == "reconnecting", "Ann sees it", 15)
        cut_at = time.monotonic()
        time.sleep(10)
        lan.cut(False)
        back_s = measure_gap(call, ann, ben, time.monotonic())
        figure(f"cut for {time.monotonic() - cut_at - back_s:.0f} s: back {back_s:.2f} s after it")
        assert back_s < 12
        talk(call, ann, ben)
