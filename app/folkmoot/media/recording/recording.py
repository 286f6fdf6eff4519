"""One recording: what came is put where it belongs, and written when it is due.

Owns the order of things; the time is an argument. Pictures and sounds are written a third of a
second after they happened: only then is it known what each voice said meanwhile. Refuses to make up
for what it was too slow for: pictures are left out, sound never is.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Protocol

import av
import numpy as np

from folkmoot.media.devices.mix import Limiter
from folkmoot.media.devices.planes import copy_frame
from folkmoot.media.devices.ring import RATE, STEP, Samples
from folkmoot.media.recording.clock import SECOND, RecordingClock
from folkmoot.media.recording.composer import Composer
from folkmoot.media.recording.output import Output
from folkmoot.media.recording.pictures import Key, Pictures
from folkmoot.media.recording.voices import Line, Sound, Track
from folkmoot.media.recording.words import Words
from folkmoot.services.media_port import SELF, RecordPlace, RecordPlan

BEHIND_NS = 300_000_000
"""So much later than it happened is written what happened."""
STILL_NS = 500_000_000
"""A picture that does not change is written twice a second all the same."""
_MOST_BLOCKS = 25 * 400
_MOST_TRACKS = 90

Voice = tuple[bytes, int]
"""Peer, and which of its streams: it can have two for a moment."""


class Body(Protocol):
    """What makes tracks of what came. Times in nanoseconds of the recording."""

    def set_places(self, places: tuple[RecordPlace, ...]) -> None:
        """Another layout, other names."""
        ...

    def add(self, voice: Voice, position: int, sound: Sound) -> None:
        """Sound from sample `position` on."""
        ...

    def write(self, until_ns: int) -> None:
        """Everything up to then, but for the last moments, came: write it."""
        ...


class Recording:
    """`take_…` from any thread, the rest from one. Raises `OSError`, `av.FFmpegError`."""

    def __init__(self, plan: RecordPlan, output: Output, now_ns: int, words: Words) -> None:
        self._clock = RecordingClock(now_ns)
        self._output = output
        self._pictures = Pictures()
        self._blocks: collections.deque[tuple[Voice, Samples, int]] = collections.deque(
            maxlen=_MOST_BLOCKS
        )
        self._lines: dict[Voice, Line] = {}
        self._written_ns = 0
        body = Separate if plan.tracks else Composed
        self._body: Body = body(plan, output, self._pictures, words)
        self._body.set_places(plan.places)

    @property
    def is_paused(self) -> bool:
        """Whether the clock stands still."""
        return self._clock.is_paused

    def length_ns(self, now_ns: int) -> int:
        """How long it is."""
        return self._clock.now(now_ns)

    def take_picture(self, key: Key, frame: av.VideoFrame, at_ns: int) -> None:
        """A picture that was taken at `at_ns` of the monotonic clock."""
        at = self._clock.at(at_ns)
        if at is not None:
            self._pictures.put(key, frame, at)

    def take_sound(self, voice: Voice, samples: Samples, at_ns: int) -> None:
        """Samples of which the first was taken at `at_ns` of the monotonic clock."""
        if not self._clock.is_paused:
            self._blocks.append((voice, samples, at_ns))

    def forget(self, key: Key) -> None:
        """Pictures of that kind stopped."""
        self._pictures.forget(key)

    def set_places(self, places: tuple[RecordPlace, ...]) -> None:
        """Other places."""
        self._body.set_places(places)

    def pause(self, now_ns: int) -> None:
        """Write what was said until now, then let nothing in."""
        if not self._clock.is_paused:
            self._finish_until(now_ns)
            self._clock.pause(now_ns)
            self._blocks.clear()

    def resume(self, now_ns: int) -> None:
        """Go on."""
        self._blocks.clear()
        self._clock.resume(now_ns)

    def advance(self, now_ns: int) -> None:
        """Write what is due at `now_ns` of the monotonic clock."""
        if self._clock.is_paused:
            return
        self._write_until(self._clock.now(now_ns) - BEHIND_NS)

    def finish(self, now_ns: int) -> None:
        """Write everything and the end of the file."""
        if not self._clock.is_paused:
            self._finish_until(now_ns)
        self._output.finish()

    def _finish_until(self, now_ns: int) -> None:
        self._write_until(self._clock.now(now_ns))
        self._pictures.hurry()
        self._lines.clear()

    def _write_until(self, until_ns: int) -> None:
        """Write in steps, so that a thread that was held up finds room for all the sound."""
        while self._written_ns < until_ns:
            self._written_ns = min(until_ns, self._written_ns + SECOND)
            self._place_sounds(self._written_ns + SECOND)
            self._body.write(self._written_ns)

    def _place_sounds(self, until_ns: int) -> None:
        while self._blocks:
            voice, samples, at_ns = self._blocks[0]
            at = self._clock.at(at_ns)
            if at is not None and at > until_ns:
                return
            self._blocks.popleft()
            if at is None:
                continue
            line = self._lines.get(voice)
            if line is None:
                line = self._lines[voice] = Line()
            position, sound = line.place(samples, at * RATE // SECOND)
            if len(sound):
                self._body.add(voice, position, sound)


class Composed:
    """One picture of all, and one sound."""

    def __init__(self, plan: RecordPlan, output: Output, pictures: Pictures, words: Words) -> None:
        self._output, self._fps = output, plan.fps
        self._now = 0
        self._composer = Composer(
            plan.width & ~1, plan.height & ~1, lambda key: pictures.newest(key, self._now), words
        )
        sound, picture = output.add_sound("", mixed=True), output.add_picture("", plan.fps)
        assert sound is not None
        assert picture is not None
        self._sound, self._picture = sound, picture
        self._track = Track()
        self._limiter = Limiter()
        self._mixed: Sound = np.zeros(0, np.float32)
        self._position = 0
        self._next = 0
        self._written_ns = -STILL_NS

    def set_places(self, places: tuple[RecordPlace, ...]) -> None:
        """As `Body` says."""
        self._composer.set_places(places)

    def add(self, voice: Voice, position: int, sound: Sound) -> None:
        """As `Body` says."""
        self._track.add(position, sound)

    def write(self, until_ns: int) -> None:
        """As `Body` says."""
        self._write_sound(until_ns)
        newest = until_ns * self._fps // SECOND
        if newest >= self._next:
            self._write_picture(newest)
        self._output.release(min(until_ns, self._position * SECOND // RATE))

    def _write_picture(self, number: int) -> None:
        """Picture `number` shows what was taken up to half its time later: so it is never further
        away than that."""
        self._next = number + 1
        at_ns = number * SECOND // self._fps
        self._now = at_ns + SECOND // self._fps // 2
        changed = self._composer.draw()
        if changed or at_ns - self._written_ns >= STILL_NS:
            self._written_ns = at_ns
            self._output.picture(self._picture, self._composer.frame, at_ns)

    def _write_sound(self, until_ns: int) -> None:
        chunk = self._output.chunk(self._sound)
        steps = (until_ns * RATE // SECOND - self._track.taken) // STEP
        parts = [self._mixed]
        for _ in range(max(0, steps)):
            samples = self._limiter.process(self._track.take(STEP))
            parts.append(samples.astype(np.float32) * np.float32(1 / 32768))
        mixed = np.concatenate(parts)
        while len(mixed) >= chunk:
            self._output.sound(self._sound, mixed[:chunk], self._position)
            self._position += chunk
            mixed = mixed[chunk:]
        self._mixed = mixed


class Separate:
    """A track for each person's sound, and one for each kind of its pictures."""

    def __init__(self, plan: RecordPlan, output: Output, pictures: Pictures, words: Words) -> None:
        self._output, self._fps = output, plan.fps
        self._pictures = pictures
        self._names: dict[bytes, str] = {}
        self._sounds: dict[bytes, tuple[int, Track]] = {}
        self._seen: dict[Key, tuple[int, int, int]] = {}  # track, number, time of the last one
        self._until = 0

    def set_places(self, places: tuple[RecordPlace, ...]) -> None:
        """As `Body` says: it is where names come from."""
        self._names |= {place.peer: place.name for place in places if place.name}

    def add(self, voice: Voice, position: int, sound: Sound) -> None:
        """As `Body` says."""
        peer, _ = voice
        if peer not in self._sounds:
            track = self._add(lambda: self._output.add_sound(self._name(peer), mixed=False))
            if track is None:
                return
            chunk = self._output.chunk(track)
            self._sounds[peer] = track, Track(self._until * RATE // SECOND // chunk * chunk)
        self._sounds[peer][1].add(position, sound)

    def write(self, until_ns: int) -> None:
        """As `Body` says."""
        self._until = until_ns
        released = until_ns
        for track, sound in self._sounds.values():
            chunk = self._output.chunk(track)
            while sound.taken + chunk <= until_ns * RATE // SECOND:
                position = sound.taken
                self._output.sound(track, np.clip(sound.take(chunk), -1, 1), position)
            released = min(released, sound.taken * SECOND // RATE)
        for key in self._pictures.seen():
            self._write_picture(key, until_ns)
        self._output.release(released)

    def _write_picture(self, key: Key, until_ns: int) -> None:
        picture = self._pictures.newest(key, until_ns)
        if picture is None:
            return
        if key not in self._seen:
            name = f"{self._name(key[0])} ({key[1]})"
            track = self._add(lambda: self._output.add_picture(name, self._fps))
            if track is None:
                return
            self._seen[key] = track, 0, -1
        track, number, at_ns = self._seen[key]
        if number != picture.number:
            self._seen[key] = track, picture.number, max(picture.at_ns, at_ns + 1)
            frame = _even(picture.frame)
            if key[0] == SELF and frame is picture.frame:
                frame = copy_frame(frame)  # what is sent of it has times of its own
            self._output.picture(track, frame, self._seen[key][2])

    def _add(self, add: Callable[[], int | None]) -> int | None:
        return None if len(self._sounds) + len(self._seen) >= _MOST_TRACKS else add()

    def _name(self, peer: bytes) -> str:
        return self._names.get(peer) or peer.hex()[:8]


def _even(frame: av.VideoFrame) -> av.VideoFrame:
    """As the encoder takes it."""
    if frame.format.name == "yuv420p" and not (frame.width | frame.height) & 1:
        return frame
    return frame.reformat(width=frame.width & ~1, height=frame.height & ~1, format="yuv420p")
