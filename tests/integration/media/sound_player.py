"""The sound of the media process alone: an engine on real devices, with a voice that clicks.

Told by lines on stdin (``open``, ``mute``, ``chosen``, ``ring``, ``over``, ``end``), tells JSON
lines on stdout: ``devices``, ``fault``, ``latency`` of a click from the mixer back to an encoded
packet, ``packet`` sizes.
"""

from __future__ import annotations

import json
import sys
import threading
import time

import numpy as np

from folkmoot.media.devices.audio import AudioEngine
from folkmoot.media.devices.qt import DeviceWatcher, leave_qt, run_qt
from folkmoot.media.devices.ring import STEP, Samples
from folkmoot.services.media_port import AudioPlan

_lock = threading.Lock()
_kept: list[object] = []


def _tell(*row: object) -> None:
    with _lock:
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


class Clicks:
    """5 ms of noise each 0.3 s; finds them again in what was recorded."""

    delay_s = 0.0

    def __init__(self) -> None:
        self._step = 0
        self._clicked: float | None = None

    def pull(self) -> Samples:
        self._step += 1
        samples = np.zeros(STEP, np.int16)
        if self._step % 30 == 0:
            samples[:240] = 12_000 * (-1) ** np.arange(240)
            self._clicked = time.monotonic()
        return samples

    def find(self, recorded: Samples) -> None:
        loud = np.abs(recorded.astype(np.int32)) > 3000
        if self._clicked is not None and loud.any():
            at = time.monotonic() - (len(recorded) - int(loud.argmax())) / 48_000
            _tell("latency", (at - self._clicked) * 1000)
            self._clicked = None


class PlainEncoder:
    """The samples themselves."""

    def encode(self, samples: Samples) -> bytes:
        return samples.tobytes()

    def set_loss(self, percent: float) -> None:
        pass


def _plan(*, is_open: bool) -> AudioPlan:
    return AudioPlan(
        *("device", "", is_open, "device"),
        echo_cancellation=False,
        noise_suppression=False,
        gain_control=False,
    )


_PLANS = {
    "chosen": AudioPlan("device", "headmic", True, "device", "headset", False, False, False),
    "ring": AudioPlan("device", sink="device", tone="ring"),
    "over": AudioPlan("device", cue="ended", cues=1),
}


def main() -> None:
    clicks = Clicks()

    def take(payload: bytes, _stamp: int) -> None:
        if len(payload) == 2 * 2 * STEP:
            clicks.find(np.frombuffer(payload, np.int16))
        _tell("packet", len(payload))

    engine = AudioEngine(
        packet=take,
        levels=lambda _rows: None,
        fault=lambda kind, code, words: _tell("fault", kind, code, words),
        use_devices=True,
        encoder=PlainEncoder,
    )

    def obey() -> None:
        for line in sys.stdin:
            word = line.strip()
            if word == "end":
                break
            if word in ("ring", "over"):  # nobody else is heard
                engine.remove_voice(b"peer", clicks)
            engine.set_plan(_PLANS.get(word) or _plan(is_open=word == "open"))
            _tell("done", word)
        engine.close()
        leave_qt()

    def begin() -> None:
        _kept.append(
            DeviceWatcher(
                lambda listed: _tell(
                    "devices", [each[0] for each in listed.microphones + listed.speakers]
                )
            )
        )
        engine.start()
        engine.add_voice(b"peer", clicks)
        threading.Thread(target=obey, daemon=True).start()

    run_qt(begin)


if __name__ == "__main__":
    main()
