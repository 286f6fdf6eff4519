"""What the receive path expects of aiortc, of libopus and of sender reports."""

from __future__ import annotations

import numpy as np
import pytest
from aiortc import RTCRtpReceiver

from folkmoot.media.receive import overrides
from folkmoot.media.receive.opus import FRAME_SAMPLES, OpusDecoder, OpusEncoder, OpusError
from folkmoot.media.receive.sync import LipSync


def test_this_aiortc_has_every_private_name_that_is_used() -> None:
    overrides.check()


def test_another_aiortc_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RTCRtpReceiver, "_send_rtcp_pli")
    with pytest.raises(overrides.AiortcChanged, match="_send_rtcp_pli"):
        overrides.check()


def test_silence_is_not_worth_sending() -> None:
    encoder = OpusEncoder()
    silence = np.zeros(FRAME_SAMPLES, np.int16)
    assert any(len(encoder.encode(silence)) <= 2 for _ in range(30))


def test_a_lost_packet_is_in_the_next_one() -> None:
    encoder, decoder = OpusEncoder(dtx=False), OpusDecoder()
    encoder.set_loss(20)
    wave = (np.sin(np.arange(FRAME_SAMPLES * 20) / 30) * 8_000).astype(np.int16)
    made = [encoder.encode(frame) for frame in wave.reshape(-1, FRAME_SAMPLES)]
    assert any(decoder.has_fec(payload) for payload in made)
    assert len(decoder.decode_fec(made[9], FRAME_SAMPLES)) == FRAME_SAMPLES


def test_a_broken_packet_is_an_opus_error() -> None:
    with pytest.raises(OpusError):
        OpusDecoder().decode(b"\xff\xff\xff")


def test_a_closed_decoder_is_an_opus_error() -> None:
    decoder = OpusDecoder()
    decoder.close()
    with pytest.raises(OpusError):
        decoder.conceal(480)


def test_a_picture_waits_for_a_late_voice_and_gets_there_slowly() -> None:
    sync = LipSync()
    sync.report("audio", 100 << 32, 0)
    sync.report("video", 100 << 32, 0)
    holds = [sync.hold_s(48_000, 11.15, 90_000, 11.0, 0.1) for _ in range(40)]
    assert holds[0] == pytest.approx(0.005)
    assert holds[-1] == pytest.approx(0.15 - 0.045)


def test_what_nobody_notices_makes_no_picture_late() -> None:
    sync = LipSync()
    sync.report("audio", 100 << 32, 0)
    sync.report("video", 100 << 32, 0)
    assert sync.hold_s(48_000, 11.09, 90_000, 11.0, 0.1) == 0
    held = [sync.hold_s(48_000, 11.15, 90_000, 11.0, 0.1) for _ in range(40)]
    back = [sync.hold_s(48_000, 11.09, 90_000, 11.0, 0.1) for _ in range(40)]
    assert held[-1] > 0.1
    assert back[-1] == 0  # and it does not stay so


def test_without_reports_or_with_a_small_delay_no_picture_waits() -> None:
    assert LipSync().hold_s(48_000, 11.1, 90_000, 11.0, 0.1) == 0
    sync = LipSync()
    sync.report("audio", 100 << 32, 0)
    sync.report("video", 100 << 32, 0)
    assert sync.hold_s(48_000, 11.1, 90_000, 11.0, 0.03) == 0
