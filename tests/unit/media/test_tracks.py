"""What goes to one peer, of what was encoded for all."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from folkmoot.media import tracks
from folkmoot.media.encoding import EncodedPicture
from folkmoot.media.rates import Level
from folkmoot.media.tracks import MAX_PICTURES, MAX_SOUND_PACKETS, PictureTrack, SoundTrack


def _picture(at: int, *, key: bool = False, layer: int = 0) -> EncodedPicture:
    return EncodedPicture([b"x"], at, key, layer, 1)


class _Peer:
    """A picture track, and what it asked for."""

    def __init__(self) -> None:
        self.wanted: list[tuple[Level, bool]] = []
        self.estimates: list[int] = []
        self.track = PictureTrack(
            lambda level, urgent: self.wanted.append((level, urgent)), self.estimates.append
        )

    def push(self, *pictures: EncodedPicture, low: bool = False) -> None:
        for picture in pictures:
            self.track.push(picture, low=low)

    async def sent(self) -> list[int]:
        waiting = len(self.track._queue)
        return [(await self.track.recv()).timestamp for _ in range(waiting)]


async def test_nothing_is_sent_before_it_starts_and_then_first_a_key_frame() -> None:
    peer = _Peer()
    peer.push(_picture(1, key=True))
    peer.track.start()
    peer.push(_picture(2), _picture(3, key=True), _picture(4))
    assert await peer.sent() == [3, 4]
    assert peer.wanted[0] == (Level.FULL, True)


async def test_a_peer_that_gets_the_base_layer_gets_no_other() -> None:
    peer = _Peer()
    peer.track.start()
    peer.push(_picture(1, key=True), _picture(2, layer=1))
    peer.track.set_level(Level.BASE)
    peer.push(_picture(3), _picture(4, layer=1), _picture(5))
    peer.track.set_level(Level.FULL)
    peer.push(_picture(6, layer=1))
    assert await peer.sent() == [1, 2, 3, 5, 6]
    assert len(peer.wanted) == 1


async def test_a_peer_moves_to_the_small_encoding_at_its_key_frame() -> None:
    peer = _Peer()
    peer.track.start()
    peer.push(_picture(1, key=True))
    peer.track.set_level(Level.LOW)
    peer.push(_picture(2))
    peer.push(_picture(3), _picture(4, key=True), _picture(5), low=True)
    peer.push(_picture(6, key=True))
    assert await peer.sent() == [1, 4, 5]
    assert (Level.LOW, True) in peer.wanted


async def test_a_queue_that_grows_is_emptied_and_waits_for_a_key_frame() -> None:
    peer = _Peer()
    peer.track.start()
    peer.push(_picture(0, key=True), *[_picture(at) for at in range(1, MAX_PICTURES + 3)])
    assert await peer.sent() == []
    peer.push(_picture(50), _picture(51, key=True))
    assert await peer.sent() == [51]


async def test_a_paused_peer_gets_nothing_and_asks_for_nothing() -> None:
    peer = _Peer()
    peer.track.start()
    peer.push(_picture(1, key=True))
    peer.track.pause()
    peer.track.key_wanted()
    peer.push(_picture(2, key=True))
    assert await peer.sent() == []
    assert len(peer.wanted) == 1


async def test_what_a_peer_reports_is_handed_on() -> None:
    peer = _Peer()
    peer.track.start()
    peer.track.target_bitrate = 300_000
    peer.track.key_wanted()
    assert peer.estimates == [300_000]
    assert peer.wanted[-1] == (Level.FULL, False)
    assert peer.track.target_bitrate == 0


async def test_what_is_sent_is_counted() -> None:
    peer = _Peer()
    assert peer.track.pack(_picture(5)) == ([b"x"], 5)
    assert (peer.track.sent_bytes, peer.track.sent_pictures) == (1, 1)


async def test_sound_goes_only_where_it_is_active_and_never_piles_up() -> None:
    track = SoundTrack()
    track.push(b"lost", 0)
    track.active = True
    for at in range(MAX_SOUND_PACKETS + 5):
        track.push(b"x", at)
    assert (await track.recv())[:2] == (b"x", 5)
    assert track.pack((b"abc", 2**32 + 7, 0.0, None)) == ([b"abc"], 7)


async def test_a_track_knows_how_old_what_it_sends_is(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=50_000.0)
    at = SimpleNamespace(monotonic=lambda: clock.now, monotonic_ns=lambda: int(clock.now * 1e9))
    monkeypatch.setattr(tracks, "time", at)
    sound = SoundTrack()
    sound.active = True
    sound.push(b"x", 0, 0.5)
    clock.now += 0.25
    sound.pack(await sound.recv())
    assert sound.lag_s == pytest.approx(0.75)
    track = _Peer().track
    taken = (at.monotonic_ns() - 300_000_000) * 9 // 100_000
    track.pack(_picture(taken & 0xFFFFFFFF))
    assert track.lag_s == pytest.approx(0.3, abs=1e-4)


async def test_a_track_tells_how_loud_the_voice_is_in_what_it_sends() -> None:
    sound = SoundTrack()
    sound.active = True
    for level in (20, None):
        sound.push(b"x", 0, 0.0, level)
        sound.pack(await sound.recv())
        assert sound.level == level
