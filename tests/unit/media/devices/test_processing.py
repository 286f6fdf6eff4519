"""Echo and near speech in a measured room: what goes, and what stays."""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot.media.devices.processing import (
    LivekitCleaner,
    Processing,
    SpeexCleaner,
    Wanted,
    find_echo_canceller,
)
from folkmoot.media.devices.ring import Samples
from unit.media.devices.room import RATE, STEP, Sound, echo, kept_db, quantise, ratio_db, speak

SECONDS = 8


def _run(cleaner: LivekitCleaner | SpeexCleaner, heard: Sound, far: Sound) -> Samples:
    played, recorded = quantise(far), quantise(heard)
    out = []
    for at in range(0, len(played) - STEP + 1, STEP):
        cleaner.hear(played[at : at + STEP])
        out.append(cleaner.clean(recorded[at : at + STEP], 40))
    return np.concatenate(out)


def _noise() -> Sound:
    return np.random.default_rng(9).normal(0, 0.0006, SECONDS * RATE)


@pytest.mark.parametrize("kind", [LivekitCleaner, SpeexCleaner])
def test_the_echo_is_30_db_lower(kind: type[LivekitCleaner | SpeexCleaner]) -> None:
    far = speak(1, SECONDS) * 0.5
    heard = echo(far) + _noise()
    out = _run(kind(Wanted(echo=True, noise=True, gain=False)), heard, far)
    settled = slice(3 * RATE, None)
    assert ratio_db(quantise(heard)[settled], out[settled]) >= 30


def test_without_cancelling_the_echo_stays() -> None:
    far = speak(1, SECONDS) * 0.5
    heard = echo(far) + _noise()
    out = _run(LivekitCleaner(Wanted(echo=False, noise=True, gain=False)), heard, far)
    assert ratio_db(quantise(heard), out) < 6


def test_speech_alone_is_kept() -> None:
    near = speak(2, SECONDS) * 0.35
    out = _run(LivekitCleaner(Wanted(gain=False)), near + _noise(), near * 0)
    settled = slice(2 * RATE, None)
    assert abs(ratio_db(out[settled], quantise(near)[settled])) < 3


def test_sound_passes_untouched_until_the_library_is_there() -> None:
    processing = Processing()
    samples = np.arange(STEP, dtype=np.int16)
    assert np.array_equal(processing.clean(samples, 20), samples)
    assert processing.name == ""
    processing.set_wanted(Wanted())
    assert processing.wait(30)
    assert processing.name == "livekit" == find_echo_canceller()
    processing.hear(samples)
    assert len(processing.clean(samples, 20)) == STEP
    processing.set_wanted(Wanted(echo=False, noise=False, gain=False))
    assert np.array_equal(processing.clean(samples, 20), samples)
    assert processing.name == ""


@pytest.mark.parametrize(("loudness", "lost"), [(0.15, 3.0), (0.5, 4.5)])
def test_who_speaks_into_the_echo_is_still_heard(loudness: float, lost: float) -> None:
    """Beside what the same settings leave of the same words in a silent room.

    The echo is 14 dB below the words, as with a laptop, and then as loud as the speakers go.
    """
    far, near = speak(1, SECONDS) * loudness, speak(2, SECONDS) * 0.35
    out = _run(LivekitCleaner(Wanted()), echo(far) + near + _noise(), far)
    alone = _run(LivekitCleaner(Wanted()), near + _noise(), far * 0)
    settled = slice(2 * RATE, None)
    assert kept_db(out[settled], alone[settled]) >= -lost
    assert kept_db(out[settled], quantise(near)[settled]) >= -3
