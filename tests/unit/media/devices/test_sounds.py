"""The sounds that are made here: each that a plan may ask for is heard, and again and again."""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot.media.devices.ring import RATE, STEP
from folkmoot.media.devices.sounds import Cue, Tone


def _loudest(tone: Tone, seconds: float) -> int:
    steps = [tone.pull() for _ in range(round(seconds * RATE / STEP))]
    return int(np.abs(np.concatenate(steps).astype(int)).max())


@pytest.mark.parametrize("kind", ["ring", "waiting", "ringback"])
def test_a_tone_sounds_at_once_and_comes_again(kind: str) -> None:
    tone = Tone(kind)
    assert _loudest(tone, 1.0) > 500
    assert _loudest(tone, 5.0) > 500


def test_who_is_in_a_call_hears_another_one_more_softly() -> None:
    assert _loudest(Tone("waiting"), 5.0) < _loudest(Tone("ring"), 5.0) / 2


def test_a_tone_that_this_version_does_not_know_is_silent() -> None:
    assert _loudest(Tone("fanfare"), 1.0) == 0


@pytest.mark.parametrize("kind", ["joined", "left", "ended"])
def test_a_cue_sounds_once(kind: str) -> None:
    cue = Cue(kind)
    steps = []
    while (step := cue.pull()) is not None:
        steps.append(step)
    assert 0.3 < len(steps) * STEP / RATE < 1.5
    assert int(np.abs(np.concatenate(steps).astype(int)).max()) > 500
