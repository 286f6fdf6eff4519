"""A sound system of a test's own: a private PulseAudio with loudspeakers and microphones of air.

A microphone is what is played into a hidden sink; a loudspeaker is a null sink whose monitor can be
recorded. Recordings are 48 kHz mono with the time (`time.monotonic`) of each sample, so that the
same sound is found in two of them and the difference is a latency. Needs
`needs("pulseaudio", "parec", "pactl")`. Touches no sound system of the user.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 48_000
Samples = npt.NDArray[np.float32]
"""Mono at `RATE`, from -1 to 1."""
_FORMAT = ("--raw", "--format=s16le", f"--rate={RATE}", "--channels=1")
_PIECE_BYTES = 480
_START_S = 30.0


def chirp(milliseconds: float = 60, low_hz: float = 400, high_hz: float = 2800) -> Samples:
    """A short rising tone: it is found again to a fraction of a millisecond, also after a codec."""
    count = int(RATE * milliseconds / 1000)
    at = np.arange(count) / RATE
    phase = 2 * np.pi * (low_hz * at + (high_hz - low_hz) * at**2 / (2 * milliseconds / 1000))
    shape: npt.NDArray[np.float64] = np.sqrt(np.hanning(count))
    return (0.5 * shape * np.sin(phase)).astype(np.float32)


def repeated(sound: Samples, times: int, every_s: float, lead_s: float = 0.3) -> Samples:
    """Silence of `lead_s`, then the sound so many times, one each `every_s`."""
    out = np.zeros(int(RATE * (lead_s + every_s * times)), np.float32)
    for number in range(times):
        start = int(RATE * (lead_s + every_s * number))
        out[start : start + len(sound)] += sound
    return out


def match(samples: Samples, sound: Samples) -> npt.NDArray[np.float64]:
    """How well `sound` fits at each place of `samples`, whatever its loudness: -1 to 1."""
    size = 1 << (len(samples) + len(sound) - 1).bit_length()
    product = np.fft.rfft(samples, size) * np.conj(np.fft.rfft(sound, size))
    fits = np.fft.irfft(product, size)[: len(samples) - len(sound) + 1]
    power = np.concatenate(([0.0], np.cumsum(samples.astype(np.float64) ** 2)))
    here = np.maximum(power[len(sound) :] - power[: -len(sound)], 1e-6)
    score: npt.NDArray[np.float64] = fits / np.sqrt(
        here * float(np.sum(sound.astype(np.float64) ** 2))
    )
    return score


def find(samples: Samples, sound: Samples, least: float = 0.5) -> list[int]:
    """Where `sound` begins in `samples`, whatever its loudness: a correlation of at least `least`.

    Of matches nearer than the length of the sound only the best counts.
    """
    if len(samples) < len(sound):
        return []
    score = match(samples, sound)
    found: list[int] = []
    for at in np.flatnonzero(score >= least).tolist():
        if found and at - found[-1] < len(sound):
            if score[at] > score[found[-1]]:
                found[-1] = at
        else:
            found.append(at)
    return found


@dataclass
class Recording:
    """What a source gave since it was begun."""

    source: str
    process: subprocess.Popen[bytes]
    _pieces: list[bytes] = field(default_factory=list)
    _start: float = float("inf")
    _bytes: int = 0

    def begin(self) -> None:
        """Read in a thread of its own."""
        self._first = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"record {self.source}")
        self._thread.start()
        assert self._first.wait(_START_S), f"nothing comes from {self.source}"

    def _read(self) -> None:
        assert self.process.stdout is not None
        while piece := self.process.stdout.read(_PIECE_BYTES):
            now = time.monotonic()
            self._pieces.append(piece)
            self._bytes += len(piece)
            # The piece that waited least tells when the first sample was.
            self._start = min(self._start, now - self._bytes / 2 / RATE)
            self._first.set()
        self._first.set()

    def end(self) -> Samples:
        """Stop; all that was recorded."""
        self.process.send_signal(signal.SIGTERM)
        self._thread.join(30)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.samples()

    def samples(self) -> Samples:
        """What was recorded so far."""
        data = b"".join(list(self._pieces))
        samples: Samples = np.frombuffer(data[: len(data) // 2 * 2], np.int16).astype(np.float32)
        samples /= 32768
        return samples

    def start(self) -> float:
        """When (`time.monotonic`) the first sample was."""
        return self._start

    def times(self, sound: Samples, least: float = 0.5) -> list[float]:
        """When (`time.monotonic`) `sound` began, each time."""
        return [self._start + at / RATE for at in find(self.samples(), sound, least)]


class SoundSystem:
    """One PulseAudio daemon and its virtual devices."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        server = f"unix:{folder}/native"
        self.environment = {
            "PULSE_SERVER": server,
            "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_STATE_PATH": str(folder),
            "PULSE_COOKIE": str(folder / "cookie"),
            "XDG_RUNTIME_DIR": str(folder),
        }
        self._modules: dict[str, list[str]] = {}
        self._log = (folder / "log").open("wb")
        self._recordings: list[Recording] = []
        self._players: list[subprocess.Popen[bytes]] = []
        self._daemon = self._start()

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + _START_S
        while self._control("info", check=False).returncode:
            words = (self._folder / "log").read_text()[-2000:]
            assert self._daemon.poll() is None, f"pulseaudio ended: {words}"
            assert time.monotonic() < deadline, f"pulseaudio does not answer: {words}"
            time.sleep(0.05)

    def add_speaker(self, name: str) -> None:
        """A loudspeaker; what it plays is recorded from `name`.monitor."""
        self._modules[name] = [self._null_sink(name)]

    def add_microphone(self, name: str) -> None:
        """A microphone; `play` says something into it."""
        hidden = self._null_sink(f"{name}_air")
        source = self._load(
            *("module-remap-source", f"source_name={name}", f"master={name}_air.monitor"),
            *("channels=1", "master_channel_map=mono", "channel_map=mono", "remix=no"),
            f"source_properties=device.description={name}",
        )
        self._modules[name] = [source, hidden]

    def add_filter(self, name: str, speaker: str) -> None:
        """Something that changes what is played on it, and plays it on a loudspeaker."""
        module = self._load("module-remap-sink", f"sink_name={name}", f"master={speaker}")
        self._modules[name] = [module]

    def move(self, player: subprocess.Popen[bytes], speaker: str) -> None:
        """Have what a program plays come out elsewhere."""
        (number,) = (
            row["index"]
            for row in self._rows("sink-inputs")
            if row["properties"].get("application.process.id") == str(player.pid)
        )
        self._control("move-sink-input", str(number), speaker)

    def list_recordings(self) -> list[str]:
        """What programs record now, by its name."""
        return [
            row["properties"]["media.name"]
            for row in self._rows("source-outputs")
            if row["driver"] == "protocol-native.c"
        ]

    def signal(self, number: int) -> None:
        """Stop, continue or kill the daemon."""
        self._daemon.send_signal(number)

    def begin_again(self) -> None:
        """After the daemon was killed, another one, without devices."""
        self._daemon.wait(_START_S)
        self._modules.clear()
        self._daemon = self._start()
        self.wait()

    def couple(self, speaker: str, microphone: str, late_ms: int, gain_db: float) -> None:
        """From now on the microphone hears the speaker, so much later and quieter (below 0)."""
        module = self._load(
            *("module-loopback", f"source={speaker}.monitor", f"sink={microphone}_air"),
            *(f"latency_msec={late_ms}", "adjust_time=0", "source_dont_move=yes"),
        )
        rows = self._rows("sink-inputs")
        (number,) = (row["index"] for row in rows if row["owner_module"] == module)
        self._control("set-sink-input-volume", str(number), f"{gain_db}dB")

    def remove(self, name: str) -> None:
        """Unplug a device."""
        for module in self._modules.pop(name):
            self._control("unload-module", module)

    def set_default(self, kind: str, name: str) -> None:
        """`kind` is ``sink`` or ``source``."""
        self._control(f"set-default-{kind}", name)

    def play(self, microphone: str, sound: Samples, **properties: str) -> subprocess.Popen[bytes]:
        """Say something into a microphone; the process ends with the sound."""
        return self.play_on(f"{microphone}_air", sound, **properties)

    def play_on(self, speaker: str, sound: Samples, **properties: str) -> subprocess.Popen[bytes]:
        """Play something on a loudspeaker, as a program does. Properties of the stream have ``_``
        for each dot."""
        data = (np.clip(sound, -1, 1) * 32767).astype(np.int16).tobytes()
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
            file.write(data)
        more = [f"--property={key.replace('_', '.')}={value}" for key, value in properties.items()]
        player = subprocess.Popen(
            ["pacat", *_FORMAT, f"--device={speaker}", "--latency-msec=20", *more, file.name],
            env={**os.environ, **self.environment},
        )
        self._players.append(player)
        return player

    def record(self, source: str) -> Recording:
        """Record a microphone, or the monitor of a loudspeaker, from now on."""
        process = subprocess.Popen(
            ["parec", *_FORMAT, f"--device={source}", "--latency-msec=5"],
            stdout=subprocess.PIPE,
            env={**os.environ, **self.environment},
            bufsize=0,
        )
        made = Recording(source, process)
        self._recordings.append(made)
        made.begin()
        return made

    def close(self) -> None:
        """End what plays and records, then the daemon."""
        for player in self._players:
            player.kill()
            player.wait(30)
        for recording in self._recordings:
            if recording.process.poll() is None:
                recording.end()
        self._daemon.terminate()
        try:
            self._daemon.wait(30)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait(30)
        self._log.close()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *("pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no"),
                *("--exit-idle-time=-1", "--realtime=no", "--log-target=stderr"),
                f"--load=module-native-protocol-unix socket={self._folder}/native auth-anonymous=1",
            ],
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, **self.environment},
            start_new_session=True,
        )

    def _rows(self, kind: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self._control("--format=json", "list", kind).stdout)
        return rows

    def _null_sink(self, name: str) -> str:
        return self._load(
            *("module-null-sink", f"sink_name={name}", f"rate={RATE}", "channels=1"),
            *("channel_map=mono", f"sink_properties=device.description={name}"),
        )

    def _load(self, *words: str) -> str:
        return self._control("load-module", *words).stdout.strip()

    def _control(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pactl", *words],
            capture_output=True,
            text=True,
            check=check,
            timeout=30,
            env={**os.environ, **self.environment},
        )


@contextlib.contextmanager
def sound_system(
    *, speakers: tuple[str, ...] = ("speaker",), microphones: tuple[str, ...] = ("microphone",)
) -> Iterator[SoundSystem]:
    """A sound system with these devices for the length of a test."""
    with tempfile.TemporaryDirectory(prefix="fmsound") as folder:
        made = SoundSystem(Path(folder))
        try:
            made.wait()
            for name in speakers:
                made.add_speaker(name)
            for name in microphones:
                made.add_microphone(name)
            yield made
        finally:
            made.close()
