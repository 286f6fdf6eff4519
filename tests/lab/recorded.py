"""What is in the file of a recording, by the generated picture and sound that were recorded."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from folkmoot.media.devices.planes import view_plane
from folkmoot.media.devices.stamp import read_stamp
from lab.sound import RATE

Box = tuple[int, int, int, int]
"""Left, top, width, height of a place in the picture."""


@dataclass(frozen=True)
class Seen:
    """A picture of the file: when it is shown (s), and when it was drawn (s, monotonic clock)."""

    at_s: float
    drawn_s: float


def pictures(path: Path, track: str = "") -> Iterator[tuple[float, av.VideoFrame]]:
    """The pictures and when they are shown (s); what does not decode is left out.

    `track` is the name of one, else it is the first.
    """
    with av.open(str(path)) as container:
        for packet in container.demux(_named(container.streams.video, track)):
            with contextlib.suppress(av.error.InvalidDataError):
                for frame in packet.decode():
                    assert frame.time is not None
                    yield frame.time, frame


def seen(path: Path, box: Box | None = None, track: str = "") -> list[Seen]:
    """The stamped pictures in a place, or whole ones."""
    found = []
    for at_s, frame in pictures(path, track):
        left, top, width, height = box or (0, 0, frame.width, frame.height)
        stamp = read_stamp(view_plane(frame, 0)[top : top + height, left : left + width])
        if stamp is not None:
            found.append(Seen(at_s, stamp.micros / 1e6))
    return found


def heard(path: Path, track: str = "") -> NDArray[np.float32]:
    """The sound from second 0 of the file on, mono at 48 kHz."""
    parts: list[NDArray[np.float32]] = []
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        for packet in container.demux(_named(container.streams.audio, track)):
            with contextlib.suppress(av.error.InvalidDataError):
                for frame in packet.decode():
                    if not parts:
                        parts.append(
                            np.zeros(max(0, round((frame.time or 0.0) * RATE)), np.float32)
                        )
                    for each in resampler.resample(frame):
                        parts.append(cast(Any, each.to_ndarray()).reshape(-1))
    return np.concatenate(parts)


def _named(streams: Sequence[Any], name: str) -> Any:
    named = [each for each in streams if not name or each.metadata.get("title") == name]
    assert named, f"no track {name}: {[each.metadata for each in streams]}"
    return named[0]


def onsets(sound: NDArray[np.float32], quiet_s: float = 0.1, least: float = 0.03) -> list[float]:
    """Seconds at which it begins to sound after so long a silence."""
    loud = np.flatnonzero(np.abs(sound) > least)
    if not len(loud):
        return []
    begins = loud[np.flatnonzero(np.diff(loud, prepend=-RATE) > quiet_s * RATE)]
    return [float(at) / RATE for at in begins]


def zero_s(found: list[Seen]) -> float:
    """The monotonic time of second 0 of the file, as its pictures tell."""
    return statistics.median(each.drawn_s - each.at_s for each in found)


def offsets(sent: Path, came: Path, box: Box) -> list[float]:
    """Milliseconds that each beginning of sound came later than its picture.

    `sent` has the tracks of the sender, named “Me”, as they were taken; in `came` its pictures
    stand in `box`, after they and the sound came over the network.
    """
    here_s = zero_s(seen(sent, track="Me (camera)"))
    there_s = zero_s([each for each in seen(came, box) if each.at_s > 3])
    here = [here_s + at for at in onsets(heard(sent, "Me"))]
    there = [there_s + at for at in onsets(heard(came)) if at > 3]
    apart = [1000 * (at - min(here, key=lambda each: abs(each - at))) for at in there]
    return [each for each in apart if abs(each) < 400]  # one file may end before the other


def probe(path: Path) -> dict[str, Any]:
    """What ffprobe says: `duration` (s) and `codecs`; needs `needs("ffprobe")`."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)],
        check=True,
        capture_output=True,
        timeout=30,
    )
    answer = json.loads(done.stdout)
    return {
        "duration": float(answer["format"].get("duration", 0)),
        "codecs": sorted(each["codec_name"] for each in answer["streams"]),
        "words": done.stderr.decode(),
    }
