"""The peers of a call and their connections: what goes which way, what is heard and shown of whom.

A peer can have two connections for a moment. What we send moves to the newest that is connected;
the older one is closed once the newer one carries media. Runs on the loop, pictures aside.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Protocol

import av

from folkmoot.media.connection import PeerConnection
from folkmoot.media.devices.ring import RATE
from folkmoot.media.devices.voice_out import PACKET
from folkmoot.media.gathering import Ways
from folkmoot.media.receive.audio import AudioStream
from folkmoot.media.screen.sending import ScreenSender
from folkmoot.media.sending import PictureSender
from folkmoot.media.tracks import PictureTrack
from folkmoot.services.media_port import (
    CAMERA,
    MAX_PEERS,
    SCREEN,
    Described,
    PathChanged,
    PeerBroken,
    PictureChanged,
    Report,
)

DRAIN_S = 0.2
"""How long the older connection is still listened to when the newer one carries media."""
MAX_CONNECTIONS = 3
"""Of one peer; the oldest goes."""


class Voices(Protocol):
    """The part of the audio engine that plays peers, and how late it is."""

    @property
    def playback_ms(self) -> float:
        """How long it takes until what is mixed is heard."""

    @property
    def capture_ms(self) -> float:
        """How old what is recorded is when it gets to be encoded."""

    def add_voice(
        self, peer: bytes, stream: AudioStream, said_db: Callable[[], float | None]
    ) -> None:
        """Play a stream; `said_db` as in `AudioStream`."""

    def remove_voice(self, peer: bytes, stream: AudioStream) -> None:
        """Play it no more."""


class Peer:
    """One device: its connections, oldest first. Implements `connection.Owner`."""

    def __init__(self, key: bytes, peers: Peers) -> None:
        self.key = key
        self.connections: list[PeerConnection] = []
        self.sizes = {CAMERA: (0, 0), SCREEN: (0, 0)}
        self._peers = peers
        self._shown = {CAMERA: 0, SCREEN: 0}

    @property
    def size(self) -> tuple[int, int]:
        """Of the pictures of its camera; (0, 0) without any."""
        return self.sizes[CAMERA]

    def active(self) -> PeerConnection | None:
        """The newest connection that is connected: what we send goes there."""
        return next((c for c in reversed(self.connections) if c.is_open), None)

    def find(self, number: int) -> PeerConnection | None:
        """The connection of that number."""
        return next((c for c in self.connections if c.number == number), None)

    def described(self, connection: PeerConnection, kind: str, sdp: str) -> None:
        """A description is to be handed to the peer."""
        self._peers.report(Described(self.key, connection.number, kind, sdp))

    def path_changed(self, connection: PeerConnection, state: str) -> None:
        """Follow a connection that came, went or fell silent."""
        self._peers.report(PathChanged(self.key, connection.number, state))
        if state == "connected":
            self._listen(connection)
        elif state == "flowing":
            self._retire_older(connection)
        elif state in ("failed", "closed"):
            self._peers.end(self, connection)
        self._route()

    def broken(self, connection: PeerConnection, code: str, words: str) -> None:
        """The peer sent what nobody may send: all its connections end."""
        self._peers.break_peer(self, code, words)

    def picture(
        self, connection: PeerConnection, kind: str, frame: av.VideoFrame, capture_ns: int
    ) -> None:
        """Show a picture, in the thread that decoded it; an older connection shows no more."""
        if connection.number < self._shown[kind]:
            return
        self._shown[kind] = connection.number
        size = (frame.width, frame.height)
        if size != self.sizes[kind]:
            self.sizes[kind] = size
            self._peers.report(PictureChanged(self.key, *size, kind))
        self._peers.seen(self.key, kind, frame, capture_ns)

    def note_no_picture(self, kind: str = CAMERA) -> None:
        """Pictures stopped coming."""
        if self.sizes[kind] != (0, 0):
            self.sizes[kind] = (0, 0)
            self._peers.report(PictureChanged(self.key, 0, 0, kind))
            self._peers.gone(self.key, kind)

    def forget(self, connection: PeerConnection) -> None:
        """Undo what was done for a connection."""
        if connection in self.connections:
            self.connections.remove(connection)
        self._peers.voices.remove_voice(self.key, connection.sound)
        self._peers.sender.remove(connection.picture_track)
        self._peers.screens.remove(connection.screen_track)
        if not self.connections:
            self.note_no_picture(CAMERA)
            self.note_no_picture(SCREEN)

    def _listen(self, connection: PeerConnection) -> None:
        self._peers.voices.add_voice(self.key, connection.sound, connection.sound.said_db)

    def _retire_older(self, connection: PeerConnection) -> None:
        older = [c for c in self.connections if c.number < connection.number]
        for each in older:
            self._peers.end_later(self, each)

    def _route(self) -> None:
        """Send on the newest connection that is connected, and on no other."""
        active = self.active()
        for connection in self.connections:
            connection.sound_track.active = connection is active
            for sender, track in self._pictures(connection):
                if connection is not active and track.active:
                    track.pause()
                    sender.remove(track)
        for sender, track in () if active is None else self._pictures(active):
            if not track.active:
                sender.add(track)
                track.start()

    def _pictures(
        self, connection: PeerConnection
    ) -> tuple[tuple[PictureSender | ScreenSender, PictureTrack], ...]:
        peers = self._peers
        return (
            (peers.sender, connection.picture_track),
            (peers.screens, connection.screen_track),
        )


class Peers:
    """All peers. `seen` takes a picture in any thread; `report` a report in any thread; `gone` is
    told on the loop when pictures of a kind stopped coming from a peer."""

    def __init__(
        self,
        *,
        ways: Ways,
        voices: Voices,
        sender: PictureSender,
        screens: ScreenSender,
        report: Callable[[Report], None],
        seen: Callable[[bytes, str, av.VideoFrame, int], None],
        gone: Callable[[bytes, str], None],
    ) -> None:
        self.voices = voices
        self.sender = sender
        self.screens = screens
        self.report = report
        self.seen = seen
        self.gone = gone
        self._ways = ways
        self._peers: dict[bytes, Peer] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self.ended = 0
        """Connections that ended since the start; each leaves cycles behind."""
        self._loop = asyncio.get_running_loop()

    def __iter__(self) -> Iterator[Peer]:
        return iter(list(self._peers.values()))

    def connect(self, key: bytes, number: int, *, offers: bool) -> None:
        """Make a connection. A number that is there already, or one peer too many, is dropped."""
        peer = self._peers.get(key) or self._make_peer(key)
        if peer is None:
            self.report(PathChanged(key, number, "failed"))
            return
        if any(c.number >= number for c in peer.connections):
            return
        try:
            connection = PeerConnection(
                number,
                offers=offers,
                ways=self._ways,
                owner=peer,
                picture_track=lambda _: _track_of(self.sender),
                screen_track=lambda _: _track_of(self.screens),
            )
        except (ValueError, OSError) as error:  # a server's address that is none, no free socket
            sys.stderr.write(f"A connection cannot be made: {error!r}\n"[:400])
            self.report(PathChanged(key, number, "failed"))
            return
        peer.connections.append(connection)
        for each in peer.connections[:-MAX_CONNECTIONS]:
            self.end(peer, each)
        connection.start()

    def describe(self, key: bytes, number: int, kind: str, sdp: str) -> None:
        """Hand a description to its connection; one of a connection that is gone is dropped."""
        peer = self._peers.get(key)
        connection = None if peer is None else peer.find(number)
        if connection is not None:
            connection.take(kind, sdp)

    def disconnect(self, key: bytes) -> None:
        """End every connection of a peer."""
        peer = self._peers.pop(key, None)
        if peer is not None:
            for connection in list(peer.connections):
                self.end(peer, connection)

    def break_peer(self, peer: Peer, code: str, words: str) -> None:
        """End a peer that sent what nobody may send, and tell it once."""
        if self._peers.get(peer.key) is peer:
            self.disconnect(peer.key)
            self.report(PeerBroken(peer.key, code[:32], words[:500]))

    def push_sound(self, payload: bytes, timestamp: int, level: int | None = None) -> None:
        """Send an Opus packet to everybody. `level` as in `tracks.SoundPacket`."""
        age_s = PACKET / RATE + self.voices.capture_ms / 1000
        for peer in self._peers.values():
            for connection in peer.connections:
                connection.sound_track.push(payload, timestamp, age_s, level)

    def tick(self, now: float, wanted: Callable[[bytes, str], bool]) -> None:
        """Look after every connection. `wanted`: whether pictures of a peer are looked at."""
        playback_s = self.voices.playback_ms / 1000
        for peer in list(self._peers.values()):
            # The first picture is looked at even if it is not shown: the window plans by its size.
            shown = {
                kind: size == (0, 0) or wanted(peer.key, kind) for kind, size in peer.sizes.items()
            }
            for connection in list(peer.connections):
                connection.tick(now)
                connection.pictures.wanted = shown[CAMERA]
                connection.screen.wanted = shown[SCREEN]
                connection.match_lips(now, playback_s)

    def end(self, peer: Peer, connection: PeerConnection) -> None:
        """Close a connection and forget it."""
        peer.forget(connection)
        self._keep(self._loop.create_task(connection.close()))

    def end_later(self, peer: Peer, connection: PeerConnection) -> None:
        """Close a connection once what came on it has been played."""

        def end() -> None:
            if connection in peer.connections:
                self.end(peer, connection)

        self._loop.call_later(DRAIN_S, end)

    async def close(self) -> None:
        """End every connection."""
        for key in list(self._peers):
            self.disconnect(key)
        if self._ending:
            await asyncio.gather(*self._ending, return_exceptions=True)

    def _make_peer(self, key: bytes) -> Peer | None:
        if len(self._peers) >= MAX_PEERS:
            kept = {each: peer for each, peer in self._peers.items() if peer.connections}
            self._peers = kept
        if len(self._peers) >= MAX_PEERS:
            return None
        peer = self._peers[key] = Peer(key, self)
        return peer

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._ending.add(task)
        task.add_done_callback(self._gone)

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        self.ended += 1


def _track_of(sender: PictureSender | ScreenSender) -> PictureTrack:
    track = PictureTrack(
        want_key=sender.want_key, estimated=lambda rate: sender.note_estimate(track, rate)
    )
    if isinstance(sender, ScreenSender):
        track.asked = lambda: sender.note_asked(track)
    return track
