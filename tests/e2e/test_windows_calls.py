"""Two people call each other: two windows, two sound systems, mouse and keyboard."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from e2e.calling import figure
from e2e.desktop import Control, WindowProcess
from e2e.nodes import until
from e2e.people import (
    HEIGHT,
    NEEDS,
    WIDTH,
    Desk,
    desk_with_two_places,
    gone,
    join_by_invitation,
    start_team,
    write_to,
)
from folkmoot.media.devices.stamp import Stamp, read_stamp
from lab.sound import SoundSystem, chirp, repeated, sound_system

pytestmark = [
    pytest.mark.needs(*NEEDS, "pulseaudio", "pactl", "parec", "pacat"),
    pytest.mark.blocks_loop("a person waits"),
    pytest.mark.long,
    pytest.mark.timeout(200),
]
BELOW = 680
CHIRP = chirp()
HEARD_S = 12.0


@dataclass
class Person:
    """A window with a sound system of its own."""

    window: WindowProcess
    sound: SoundSystem
    desk: Desk

    def answer(self) -> None:
        """Accept with the mouse."""
        self.window.click("Answer", "push button")

    def hear(self, other: Person) -> float | None:
        """Chirp into the other's microphone; how late it came out of our speaker, in seconds."""
        out = self.sound.record("speaker.monitor")
        air = other.sound.record("microphone_air.monitor")
        assert other.sound.play("microphone", repeated(CHIRP, 4, 0.5)).wait(20) == 0
        time.sleep(0.5)  # what is under way
        air.end()
        out.end()
        said, heard = air.times(CHIRP), out.times(CHIRP, 0.4)
        late = [min((h - s for h in heard if 0 < h - s < 0.45), default=None) for s in said]
        known = [each for each in late if each is not None]
        return float(np.median(known)) if len(known) >= 2 else None

    def tile(self, name: str) -> Control:
        """The tile of a participant in the window of the call."""
        return self.window.find(name, "filler")


def _place_call(person: Person, place: int) -> None:
    person.window.place_window("call", place * (WIDTH + 10), HEIGHT + 24, WIDTH, BELOW - 60)


@contextlib.contextmanager
def _two_with_sound(folder: Path, **extra: str) -> Iterator[tuple[Desk, Person, Person]]:
    """Elin and Tomas in a direct conversation; `extra` goes to the environment of Tomas."""
    with (
        sound_system() as left,
        sound_system() as right,
        desk_with_two_places(folder, BELOW) as desk,
    ):
        elin = desk.open("elin", 0, **_pulse(left))
        start_team(elin, "Elin", "Harbour Studio")
        tomas = desk.open("tomas", 1, **{**_pulse(right), **extra})
        join_by_invitation(elin, tomas, "Tomas")
        write_to(elin, "Tomas")
        write_to(tomas, "Elin")
        yield desk, Person(elin, left, desk), Person(tomas, right, desk)


def _pulse(system: SoundSystem) -> dict[str, str]:
    return {key: value for key, value in system.environment.items() if key.startswith("PULSE")}


def _expect_sound(one: Person, other: Person, what: str) -> None:
    late = until(lambda: one.hear(other), what, HEARD_S * 2)
    assert late is not None
    figure(f"{what}: {late * 1000:.0f} ms from microphone to speaker")


def test_two_people_talk_mute_write_beside_the_call_and_hang_up(tmp_path: Path) -> None:
    with _two_with_sound(tmp_path) as (desk, elin, tomas):
        elin.window.click("Call", "push button")
        elin.window.find("Ringing Tomas", "label")
        _place_call(elin, 0)
        tomas.window.find("calls you", "label")
        desk.picture("ringing")
        tomas.answer()
        for person, other, place in ((elin, "Tomas", 0), (tomas, "Elin", 1)):
            person.tile(f"{other}, Good connection")
            _place_call(person, place)
        _expect_sound(tomas, elin, "Tomas hears Elin")
        _expect_sound(elin, tomas, "Elin hears Tomas")
        desk.picture("talking")

        elin.window.click("Mute the microphone")
        tomas.tile("Elin, microphone off")
        assert tomas.hear(elin) is None
        desk.picture("muted")
        elin.window.click("Switch the microphone on (Ctrl+Shift+M)")
        tomas.tile("Elin, Good connection")
        _expect_sound(tomas, elin, "Tomas hears Elin again")

        elin.window.click("Chat", "check box")
        desk.picture("chat")
        elin.window.find("Message Tomas", "text")
        elin.window.type("Written beside the call.")
        elin.window.key("Return")
        tomas.window.find("Written beside the call.", "list item")
        tomas.window.click("Create a channel", "push button")
        tomas.window.find("Name", "text")
        tomas.window.type("sails")
        tomas.window.key("Return")
        tomas.window.find("Message #sails", "text")
        tomas.window.find("Show the call in Elin", "push button")
        desk.picture("strip")
        tomas.window.click("Elin", "check box")

        tomas.window.click("Leave the call", "push button")
        desk.picture("left")
        for person in (elin, tomas):
            gone(person.window, "Controls of the call")
        for person in (elin, tomas):
            person.window.find("Call ended", "list item")
        desk.picture("ended")


def _choose_test_picture(window: WindowProcess) -> None:
    """In the dialog about devices."""
    until(lambda: len(window.all("", "combo box")) >= 3, "the devices are listed")
    window.click("None found", "combo box")
    window.key("End", "Return")
    window.find("Test picture", "combo box")


def _stamps(person: Person, name: str, within_s: float = 15.0) -> list[int]:
    """Numbers of three pictures seen in a tile, read from the screen."""
    seen: list[int] = []

    def look() -> bool:
        stamp = _read_tile(person, name)
        if stamp is not None and stamp.number not in seen:
            seen.append(stamp.number)
        return len(seen) >= 3

    until(look, f"moving pictures of {name} on the screen", within_s, lambda: str(seen))
    return seen


def _read_tile(person: Person, name: str) -> Stamp | None:
    tile = person.tile(name)
    screen = person.desk.pixels(tile.x, tile.y, tile.width, tile.height)
    # The picture fills the tile: what is cut away on two sides is put back as black.
    width = max(tile.width, tile.height * 16 // 9)
    height = max(tile.height, tile.width * 9 // 16)
    top, left = (height - tile.height) // 2, (width - tile.width) // 2
    whole = np.zeros((height, width, 3), np.uint8)
    whole[top : top + tile.height, left : left + tile.width] = screen
    return read_stamp(whole)


def test_a_test_picture_moves_in_the_window_of_the_other(tmp_path: Path) -> None:
    with _two_with_sound(tmp_path) as (desk, elin, tomas):
        elin.window.click("Call with video", "push button")
        elin.window.find("Before you join", "label")
        _choose_test_picture(elin.window)
        elin.window.find("Camera on", "check box")
        desk.picture("check")
        elin.window.click("Start the call", "push button")
        elin.window.find("Ringing Tomas", "label")
        _place_call(elin, 0)
        tomas.window.find("calls you with video", "label")
        tomas.window.key("ctrl+shift+a")
        tomas.tile("Elin, ")
        _place_call(tomas, 1)
        numbers = _stamps(tomas, "Elin, ")
        assert numbers == sorted(numbers)
        desk.picture("one-picture")

        tomas.window.click("Choose the camera", "push button")
        desk.picture("camera-menu")
        tomas.window.key("Up", "Return")
        tomas.window.find("Calls and devices", "label")
        _choose_test_picture(tomas.window)
        desk.picture("settings")
        tomas.window.key("Escape")
        tomas.window.click("Switch the camera on", "push button")
        _stamps(elin, "Tomas, ")
        desk.picture("two-pictures")
        elin.window.click("Layout", "push button")
        desk.picture("layout-menu")
        elin.window.key("Down", "Return")
        elin.window.click("People", "check box")
        tomas.window.click("More about the call", "push button")
        desk.picture("more-menu")
        tomas.window.key("Down", "Return")
        time.sleep(4)  # plots grow with time
        desk.picture("people-and-statistics")
        tomas.window.click("Switch the camera off", "push button")
        elin.tile("Tomas, ")
        until(lambda: _read_tile(elin, "Tomas, ") is None, "the picture is gone")
        desk.picture("picture-off")
        elin.window.click("Leave the call", "push button")
        for person in (elin, tomas):
            person.window.find("Call ended", "list item")


def test_a_call_that_nobody_takes_is_missed_or_declined_in_words(tmp_path: Path) -> None:
    with _two_with_sound(tmp_path) as (desk, elin, tomas):
        elin.window.click("Call", "push button")
        tomas.window.find("calls you", "label")
        elin.window.click("Leave the call", "push button")
        gone(tomas.window, "calls you", "label")
        tomas.window.find("Missed", "list item")
        elin.window.find("No answer", "list item")
        desk.picture("missed")
        elin.window.click("Call", "push button")
        tomas.window.click("Decline with a message", "push button")
        tomas.window.find("Message", "text")
        tomas.window.type("In ten minutes.")
        desk.picture("decline-with-words")
        tomas.window.key("Return")
        elin.window.find("In ten minutes.", "list item")
        elin.window.find("Declined", "list item")
        tomas.window.find("You declined", "list item")
        desk.picture("declined")
        gone(elin.window, "Controls of the call")
        elin.window.click("Harbour Studio, ", "push button")
        elin.window.key("Down", "Down", "Down", "Down", "Return")
        elin.window.find("Nobody answered")
        desk.picture("history")
        elin.window.key("Escape")


def test_without_sound_system_and_camera_the_window_says_so_and_the_call_goes_on(
    tmp_path: Path,
) -> None:
    nobody = {"PULSE_SERVER": f"unix:{tmp_path}/nobody"}
    with _two_with_sound(tmp_path, **nobody) as (desk, elin, tomas):
        elin.window.click("Call", "push button")
        tomas.answer()
        for person, other, place in ((elin, "Tomas", 0), (tomas, "Elin", 1)):
            person.tile(f"{other}, Good connection")
            _place_call(person, place)
        tomas.window.find("There is no microphone here.")
        tomas.window.find("There is no speaker here.")
        desk.picture("no-sound-system")
        tomas.window.click("Switch the camera on", "push button")
        tomas.window.find("There is no camera here.")
        desk.picture("no-camera")
        elin.window.click("Raise hand", "check box")
        tomas.tile("Elin, hand raised")
        tomas.window.click("Leave the call", "push button")
        gone(elin.window, "Controls of the call")
