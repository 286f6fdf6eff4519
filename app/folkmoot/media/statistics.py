"""Takes the statistics of each peer once a second, and sees when its pictures stop.

Reads what aiortc, the streams and the tracks counted. Owns the sums of the second before; refuses
to keep those of a connection that is gone.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from aiortc import RTCRtpSender

from folkmoot.media.connection import PeerConnection
from folkmoot.media.peers import Peer, Peers
from folkmoot.media.quality import Measured, rate_quality
from folkmoot.media.rates import Level
from folkmoot.services.media_port import SCREEN, StatsRow

_NO_PICTURE_S = 2.0
_NO_SCREEN_S = 5.0
"""A screen that stands still sends nothing but a report every second or so."""


@dataclass(slots=True)
class _Sums:
    at: float = 0.0
    sound_in: int = 0
    sound_out: int = 0
    video_in: int = 0
    video_out: int = 0
    screen_in: int = 0
    screen_out: int = 0
    screens_out: int = 0
    pictures_out: int = 0
    received: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What a peer told by RTCP; `rtt_ms` -1: nothing yet. Loss of what went to it, fractions."""

    rtt_ms: float = -1.0
    sound_loss: float = 0.0
    picture_loss: float = 0.0
    screen_loss: float = 0.0


class Statistics:
    """Makes a row for each peer that is connected."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._before: dict[PeerConnection, _Sums] = {}
        self._picture_at: dict[bytes, float] = {}

    async def take(self, now: float) -> tuple[list[StatsRow], float]:
        """The rows, and the worst loss of our sound on the way to anybody (a fraction)."""
        rows: list[StatsRow] = []
        worst = 0.0
        kept: dict[PeerConnection, _Sums] = {}
        for peer in self._peers:
            connection = peer.active()
            if connection is None:
                continue
            told = await _ask(connection)
            worst = max(worst, told.sound_loss)
            self._peers.sender.note_loss(connection.picture_track, told.picture_loss)
            self._peers.screens.note_loss(connection.screen_track, told.screen_loss)
            if told.rtt_ms >= 0:
                connection.pictures.rtt_s = connection.screen.rtt_s = told.rtt_ms / 1000
            sums = await _sum_up(connection, now)
            before = self._before.get(connection, sums)
            kept[connection] = sums
            self._watch_pictures(peer, sums.video_in > before.video_in, now)
            _watch_screen(peer, connection)
            rows.append(self._row(peer, connection, told, before, sums))
        self._before = kept
        return rows, worst

    def _watch_pictures(self, peer: Peer, came: bool, now: float) -> None:
        seen_at = self._picture_at.get(peer.key)
        if came or (seen_at is None and peer.size != (0, 0)):
            self._picture_at[peer.key] = now
        elif seen_at is not None and now - seen_at >= _NO_PICTURE_S:
            self._picture_at.pop(peer.key)
            peer.note_no_picture()

    def _row(
        self, peer: Peer, connection: PeerConnection, told: Told, before: _Sums, sums: _Sums
    ) -> StatsRow:
        sound, video = connection.sound.stats, connection.pictures.stats
        screen = connection.screen.stats
        seconds = max(0.001, sums.at - before.at)
        lost, arrived = max(0, sums.lost - before.lost), max(0, sums.received - before.received)
        loss_in = lost / (lost + arrived) if lost else 0.0
        loss_out = max(told.sound_loss, told.picture_loss, told.screen_loss)
        jitter = _finite(sound.jitter_ms)
        level = connection.picture_track.level
        quality, reason = rate_quality(
            Measured(
                silent=connection.state == "silent",
                loss=max(loss_in, loss_out),
                rtt_ms=told.rtt_ms,
                jitter_ms=jitter,
                thinned=level is Level.BASE,
                small=level is Level.LOW,
                lowered=self._peers.sender.steps_down > 0,
            )
        )
        sent = (
            connection.picture_track.codec_words if sums.pictures_out > before.pictures_out else ""
        )
        came = connection.pictures.codec if peer.size != (0, 0) else ""
        return StatsRow(
            peer=peer.key,
            rtt_ms=told.rtt_ms,
            loss_in=loss_in,
            loss_out=loss_out,
            jitter_ms=jitter,
            audio_in_bps=_rate(sums.sound_in - before.sound_in, seconds),
            audio_out_bps=_rate(sums.sound_out - before.sound_out, seconds),
            video_in_bps=_rate(sums.video_in - before.video_in, seconds),
            video_out_bps=_rate(sums.video_out - before.video_out, seconds),
            fps_in=_finite(video.fps),
            fps_out=(sums.pictures_out - before.pictures_out) / seconds,
            width=peer.size[0],
            height=peer.size[1],
            freezes=int(video.freezes),
            frozen_ms=int(video.frozen_ms),
            concealed_ms=int(sound.concealed_ms),
            audio_delay_ms=_finite(sound.delay_ms),
            codec=", ".join(dict.fromkeys(name for name in ("opus", sent, came) if name)),
            way=connection.way(),
            quality=quality,
            quality_reason=reason,
            screen_in_bps=_rate(sums.screen_in - before.screen_in, seconds),
            screen_out_bps=_rate(sums.screen_out - before.screen_out, seconds),
            screen_fps_in=_finite(screen.fps),
            screen_fps_out=(sums.screens_out - before.screens_out) / seconds,
            screen_width=peer.sizes[SCREEN][0],
            screen_height=peer.sizes[SCREEN][1],
        )


def _watch_screen(peer: Peer, connection: PeerConnection) -> None:
    alive_s = connection.screen.alive_s
    if alive_s is not None and time.monotonic() - alive_s >= _NO_SCREEN_S:
        peer.note_no_picture(SCREEN)


async def _sum_up(connection: PeerConnection, now: float) -> _Sums:
    received = lost = 0
    for each in _transceivers(connection):
        for report in (await each.receiver.getStats()).values():
            if report.type == "inbound-rtp":
                received += report.packetsReceived
                lost += report.packetsLost
    return _Sums(
        at=now,
        sound_in=int(connection.sound.stats.bytes),
        sound_out=connection.sound_track.sent_bytes,
        video_in=int(connection.pictures.stats.bytes),
        video_out=connection.picture_track.sent_bytes,
        screen_in=int(connection.screen.stats.bytes),
        screen_out=connection.screen_track.sent_bytes,
        screens_out=connection.screen_track.sent_pictures,
        pictures_out=connection.picture_track.sent_pictures,
        received=received,
        lost=lost,
    )


async def _ask(connection: PeerConnection) -> Told:
    """What the peer reported of our three streams."""
    streams = [await _remote(each.sender) for each in _transceivers(connection)]
    rtts = [rtt for rtt, _ in streams if rtt >= 0]
    return Told(min(rtts) * 1000 if rtts else -1.0, *(loss for _, loss in streams))


def _transceivers(connection: PeerConnection) -> list[Any]:
    return list(connection.connection.getTransceivers())


async def _remote(sender: RTCRtpSender) -> tuple[float, float]:
    """(round trip in seconds or -1, share that is lost) of one stream."""
    for report in (await sender.getStats()).values():
        if report.type == "remote-inbound-rtp":
            rtt = report.roundTripTime
            return (-1.0 if rtt is None else max(0.0, rtt)), report.fractionLost / 256
    return -1.0, 0.0


def _rate(amount: int, seconds: float) -> int:
    return max(0, int(amount * 8 / seconds))


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else 0.0
