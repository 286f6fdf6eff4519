"""An engine on real devices that plays noise of its own and may share what the computer plays.

Told by lines on stdin (``share``, ``unshare``, ``open``, ``close``, ``spend``, ``end``). What is
sent goes to the file that is named as its argument: int16 samples. Tells JSON lines on stdout:
``done`` for each command, ``fault``, ``speaks`` when SELF speaks, ``spent`` with the time and the
seconds of the processor by thread.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np

from folkmoot.media.devices.audio import AudioEngine
from folkmoot.media.devices.qt import DeviceWatcher, leave_qt, run_qt
from folkmoot.media.devices.ring import STEP, Samples
from folkmoot.services.media_port import SELF, AudioPlan

_lock = threading.Lock()
_kept: list[object] = []


def noise(step: int) -> Samples:
    """10 ms of the noise that is played; the same for the same number."""
    return np.random.default_rng(step).integers(-9_000, 9_000, STEP).astype(np.int16)


class Noise:
    """A voice, 2 s long, again and again."""

    delay_s = 0.0

    def __init__(self) -> None:
        self._steps = [noise(step) for step in range(200)]
        self._at = 0

    def pull(self) -> Samples:
        self._at = (self._at + 1) % len(self._steps)
        return self._steps[self._at]


class PlainEncoder:
    """The samples themselves."""

    def encode(self, samples: Samples) -> bytes:
        return samples.tobytes()

    def set_loss(self, percent: float) -> None:
        pass


def _tell(*row: object) -> None:
    with _lock:
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


def _spent() -> dict[str, float]:
    """Seconds of the processor, by the name of the thread."""
    clock = os.sysconf("SC_CLK_TCK")
    spent: dict[str, float] = {}
    for thread in threading.enumerate():
        if thread.native_id is not None:
            row = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rsplit(")", 1)[1]
            spent[thread.name] = sum(map(int, row.split()[11:13])) / clock
    return spent


def _plan(*, is_open: bool) -> AudioPlan:
    return AudioPlan(
        *("device", "", is_open, "device"),
        echo_cancellation=False,
        noise_suppression=False,
        gain_control=False,
    )


def main() -> None:
    out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)

    def levels(rows: list[tuple[bytes, float, bool]]) -> None:
        if any(peer == SELF and speaks for peer, _, speaks in rows):
            _tell("speaks")

    def take(payload: bytes, _stamp: int) -> None:
        if len(payload) == 2 * 2 * STEP:
            os.write(out, payload)

    engine = AudioEngine(
        packet=take,
        levels=levels,
        fault=lambda kind, code, words: _tell("fault", kind, code, words),
        use_devices=True,
        encoder=PlainEncoder,
    )

    def obey() -> None:
        for line in sys.stdin:
            word = line.strip()
            if word == "end":
                break
            if word in ("share", "unshare"):
                engine.share(word == "share")
            elif word in ("open", "close"):
                engine.set_plan(_plan(is_open=word == "open"))
            elif word == "spend":
                _tell("spent", time.monotonic(), _spent())
            _tell("done", word)
        engine.close()
        leave_qt()

    def begin() -> None:
        _kept.append(DeviceWatcher(lambda _listed: None))
        engine.add_voice(b"peer", Noise())
        engine.set_plan(_plan(is_open=False))
        engine.start()
        threading.Thread(target=obey, daemon=True).start()

    run_qt(begin)


if __name__ == "__main__":
    main()
