"""Recordings for tests: real small files, and values of them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from fakes.calls import call_id
from folkmoot.domain.ids import ConversationId
from folkmoot.services.call_values import Chapter, Recording
from ui.samples import NAMES, person

RATE = 48_000
FPS = 10
HULL = ConversationId(b"h" * 32)
STARTED_MS = 1_763_560_800_000
CHAPTERS = (
    Chapter(0.0, "joined", "Elin, Mara and Tomas are here"),
    Chapter(2.5, "share", "Mara shares “Laminate schedule, rev 12”"),
    Chapter(6.0, "hand", "Tomas raises a hand"),
    Chapter(7.0, "chat", "Tomas: the angle of ply 7 looks wrong to me"),
    Chapter(11.0, "joined", "Yuki joined"),
    Chapter(13.5, "pause", "Paused"),
    Chapter(17.0, "left", "Tomas left"),
)


def colour_at(second: int) -> tuple[int, int, int]:
    """What the picture is made of at a second of a film."""
    return (40 + second * 53 % 200, 60 + second * 91 % 180, 90)


def make_film(
    path: Path, *, seconds: int = 6, size: tuple[int, int] = (160, 90), whole: bool = True
) -> Path:
    """A film with a colour for each second and a soft tone. Not `whole`: as a kill leaves it,
    without length and index."""
    options = {} if whole else {"live": "1"}
    with av.open(str(path), "w", options=options) as film:
        video: Any = film.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.options = {"preset": "ultrafast", "g": str(FPS)}
        sound: Any = film.add_stream("aac", rate=RATE)
        sound.layout = "mono"
        for second in range(seconds):
            _second(film, video, sound, second, size, colour_at(second))
        for stream in (video, sound):
            film.mux(stream.encode(None))
    return path


def make_tracks(path: Path) -> Path:
    """Three seconds with a picture and a voice of each of two people: grey and black."""
    with av.open(str(path), "w") as film:
        streams: list[tuple[Any, Any, int]] = []
        for name, light in (("Mara Oduya", 160), ("Tomas Lind", 10)):
            video: Any = film.add_stream("libx264", rate=FPS)
            video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
            video.options = {"preset": "ultrafast", "g": "1"}
            video.metadata["title"] = f"{name} (camera)"
            sound: Any = film.add_stream("aac", rate=RATE)
            sound.layout = "mono"
            sound.metadata["title"] = name
            streams.append((video, sound, light))
        for second in range(3):
            for video, sound, light in streams:
                _second(film, video, sound, second, (160, 90), (light, light, light))
        for video, sound, _ in streams:
            film.mux(video.encode(None))
            film.mux(sound.encode(None))
    return path


def _second(
    film: Any,
    video: Any,
    sound: Any,
    second: int,
    size: tuple[int, int],
    colour: tuple[int, int, int],
) -> None:
    pixels = np.full((size[1], size[0], 3), colour, dtype=np.uint8)
    for number in range(FPS):
        picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        picture.pts = second * FPS + number
        film.mux(video.encode(picture))
    wave = np.sin(np.arange(RATE) * (2 * np.pi * 220 / RATE)) * 800
    for start in range(0, RATE, 960):
        part = wave[start : start + 960].astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, second * RATE + start
        frame.time_base = Fraction(1, RATE)
        film.mux(sound.encode(frame))


def recording(number: int, path: str = "", **changes: Any) -> Recording:
    """Recording `number`, a day older with each."""
    made = Recording(
        id=f"r{number}",
        call=call_id(number),
        conversation=HULL,
        path=path or f"/recordings/{number}.mkv",
        started_at_ms=STARTED_MS - number * 86_400_000,
        duration_s=723.0,
        size_bytes=84_000_000,
        names=(NAMES[1], NAMES[2], NAMES[0]),
        participants=(person(1), person(2), person(0)),
        chapters=(),
    )
    return replace(made, **changes)


def samples(path: str) -> list[Recording]:
    """One of each kind."""
    return [
        recording(1, state="recording", duration_s=0.0, size_bytes=24_300_000),
        recording(2, path, duration_s=20.0, chapters=CHAPTERS),
        recording(
            3,
            conversation=ConversationId(b"d" * 32),
            names=(NAMES[2], NAMES[0]),
            participants=(person(2), person(0)),
            state="broken off",
            duration_s=1932.0,
            size_bytes=310_000_000,
        ),
        recording(4, conversation=ConversationId(b"s" * 32), state="missing", size_bytes=0),
        recording(5, duration_s=5430.0, size_bytes=1_240_000_000),
    ]
