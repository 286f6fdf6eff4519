"""The files of recordings play wherever their writing ended."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import av
import av.error
import numpy as np
import pytest

from folkmoot.media.devices.pattern import Pattern
from folkmoot.media.recording.clock import SECOND
from folkmoot.media.recording.disk import RecordingFile
from folkmoot.media.recording.output import MatroskaOutput, Mp4Output, Output

FPS = 30
CLUSTER, CUES = bytes.fromhex("1f43b675"), bytes.fromhex("1c53bb6b")
Make = Callable[[RecordingFile], Output]
MAKES: dict[str, Make] = {
    "mkv": MatroskaOutput,
    "mp4": lambda file: Mp4Output(file, 320, 180, FPS),
}


@pytest.fixture(params=sorted(MAKES))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _record(output: Output, seconds: float, done: Callable[[], None] = lambda: None) -> None:
    """Pictures and a tone; `done` is called after each picture."""
    pattern = Pattern(320, 180)
    sound, picture = output.add_sound("all", mixed=True), output.add_picture("all", FPS)
    assert sound is not None
    assert picture is not None
    chunk, position = output.chunk(sound), 0
    for number in range(int(seconds * FPS)):
        at_ns = number * SECOND // FPS
        output.picture(picture, pattern.draw(number, 0), at_ns)
        while position < at_ns * 48_000 // SECOND:
            tone = np.sin((position + np.arange(chunk)) * 0.05) * 0.3
            output.sound(sound, tone.astype(np.float32), position)
            position += chunk
        output.release(min(at_ns, position * SECOND // 48_000))
        done()


def lengths(path: Path) -> tuple[float, float, float]:
    """Seconds that the file says, and until the last picture and the last sound decoded."""
    with av.open(str(path)) as container:
        said = (container.duration or 0) / 1e6
    ends = []
    for kind in ("video", "audio"):
        with av.open(str(path)) as container:
            stream = getattr(container.streams, kind)[0]
            times = []
            for packet in container.demux(stream):
                # Players leave out what does not decode: half a picture at the end.
                with contextlib.suppress(av.error.InvalidDataError):
                    times += [frame.time for frame in packet.decode() if frame.time is not None]
        assert times == sorted(times)
        ends.append(times[-1])
    return said, ends[0], ends[1]


def test_a_finished_file_has_its_length_and_all_that_was_put_in(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"call.{kind}"
    output = MAKES[kind](RecordingFile(str(path)))
    _record(output, 5.0)
    output.finish()
    said, picture, sound = lengths(path)
    assert said == pytest.approx(5.0, abs=0.1)
    assert picture == pytest.approx(5 - 1 / FPS, abs=0.01)
    assert sound == pytest.approx(5.0, abs=0.1)


def test_a_player_finds_a_key_frame_near_every_place(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"call.{kind}"
    output = MAKES[kind](RecordingFile(str(path)))
    _record(output, 9.0)
    output.finish()
    with av.open(str(path)) as container:
        for wanted in (7.5, 1.0, 4.2):
            container.seek(int(wanted * 1e6))
            found = next(container.decode(container.streams.video[0]))
            assert found.time is not None
            assert wanted - 2.1 <= found.time <= wanted


def test_a_file_plays_however_it_is_cut(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"call.{kind}"
    output = MAKES[kind](file := RecordingFile(str(path)))
    sizes: list[int] = []
    _record(output, 4.0, lambda: sizes.append(file.size))
    data = path.read_bytes()
    for at in (60, 90, 119):
        cut = tmp_path / f"cut.{kind}"
        # What was written at that time, and half of what came next.
        cut.write_bytes(data[: (sizes[at] + sizes[min(at + 20, 119)]) // 2])
        _, picture, sound = lengths(cut)
        assert picture >= at / FPS - 0.7
        assert sound >= at / FPS - 0.8
    output.abandon()


class SmallDisk:
    """The raw file on a disk that is full once, and has room again when somebody frees some."""

    def __init__(self, raw: FileIO, room: int) -> None:
        self._raw, self._room = raw, room
        self._was_full = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._raw, name)

    def write(self, data: memoryview) -> int:
        left = self._room - self._raw.tell()
        if self._was_full or len(data) <= left:
            return self._raw.write(data)
        if left <= 0:
            self._was_full = True
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._raw.write(data[:left])


@pytest.mark.parametrize("room", [300_000, 301_111, 310_007])
def test_what_a_full_disk_cuts_off_leaves_a_file_that_plays(
    tmp_path: Path, kind: str, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"call.{kind}"
    file = RecordingFile(str(path))
    monkeypatch.setattr(file, "_file", SmallDisk(file._file, room))
    output = MAKES[kind](file)
    with pytest.raises(OSError, match="No space"):
        _record(output, 60.0)
    output.abandon()
    assert path.stat().st_size <= room
    assert parts(path)[-1] in (b"moof", b"mdat", CLUSTER)
    _, picture, sound = lengths(path)
    assert picture > 1.5
    assert abs(picture - sound) < 0.5


def parts(path: Path) -> list[bytes]:
    """The kinds of what the file is made of, at the top; fails if one of them is cut off."""
    data = path.read_bytes()
    found, at = [], data[:400].rindex(bytes.fromhex("1549a966")) if path.suffix == ".mkv" else 0
    while at < len(data):
        if path.suffix == ".mp4":
            found.append(data[at + 4 : at + 8])
            at += int.from_bytes(data[at : at + 4], "big")
        else:
            found.append(data[at : at + 4])
            width = 9 - data[at + 4].bit_length()
            size = int.from_bytes(data[at + 4 : at + 4 + width], "big") & ~(1 << 7 * width)
            at += 4 + width + size
    assert at == len(data)
    return found


def test_what_is_given_up_for_another_reason_plays(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"call.{kind}"
    output = MAKES[kind](RecordingFile(str(path)))
    _record(output, 3.0)
    output.abandon()
    assert parts(path)[-1] in (b"moof", b"mdat", CLUSTER)
    _, picture, sound = lengths(path)
    assert min(picture, sound) > 2.0


def test_a_reader_is_told_where_to_seek(tmp_path: Path) -> None:
    path = tmp_path / "call.mkv"
    output = MatroskaOutput(RecordingFile(str(path)))
    _record(output, 3.0)
    output.finish()
    assert parts(path)[-1] == CUES
    assert bytes.fromhex("53ab84") + CUES in path.read_bytes()[:300]


def test_tracks_may_come_at_any_time(tmp_path: Path) -> None:
    path = tmp_path / "call.mkv"
    output = MatroskaOutput(RecordingFile(str(path)))
    for person in range(5):
        begin = person * 48_000
        sound = output.add_sound(f"Person {person}", mixed=False)
        assert sound is not None
        output.sound(sound, np.full(960, 0.1, np.float32), begin)
        picture = output.add_picture(f"Person {person} (camera)", FPS)
        assert picture is not None
        frame = Pattern(64 * (person + 1), 64).draw(0, 0)
        output.picture(picture, frame, person * SECOND)
        output.release((person + 1) * SECOND)
    output.finish()
    with av.open(str(path)) as container:
        titles = [stream.metadata["title"] for stream in container.streams]
        sizes = [stream.width for stream in container.streams.video]
    assert sorted(titles) == sorted(
        [f"Person {person}{kind}" for person in range(5) for kind in ("", " (camera)")]
    )
    assert sizes == [64 * (person + 1) for person in range(5)]


def test_a_picture_may_change_its_size(tmp_path: Path) -> None:
    path = tmp_path / "call.mkv"
    output = MatroskaOutput(RecordingFile(str(path)))
    track = output.add_picture("Ann", FPS)
    assert track is not None
    for number in range(30):
        frame = Pattern(640 if number < 15 else 320, 180).draw(number, 0)
        output.picture(track, frame, number * SECOND // FPS)
    output.finish()
    with av.open(str(path)) as container:
        widths = [frame.width for frame in container.decode(container.streams.video[0])]
    assert widths == [640] * 15 + [320] * 15


def test_a_track_too_many_is_refused_and_harms_no_other(tmp_path: Path) -> None:
    path = tmp_path / "call.mkv"
    output = MatroskaOutput(RecordingFile(str(path)))
    made = [output.add_sound("x" * 128, mixed=False) for _ in range(130)]
    tracks = [track for track in made if track is not None]
    assert 90 <= len(tracks) < 130
    for track in tracks:
        output.sound(track, np.zeros(960, np.float32), 0)
    output.finish()
    with av.open(str(path)) as container:
        assert len(container.streams.audio) == len(tracks)
