"""When a connection counts as silent."""

from __future__ import annotations

from typing import Any

from folkmoot.media import session
from folkmoot.media.connection import SILENT_S, PeerConnection
from folkmoot.media.gathering import Ways
from folkmoot.media.receive.opus import load
from folkmoot.media.tracks import PictureTrack

load()


class _Owner:
    """Keeps which states a connection told."""

    def __init__(self) -> None:
        self.states: list[str] = []

    def described(self, *_: object) -> None: ...
    def broken(self, *_: object) -> None: ...
    def picture(self, *_: object) -> None: ...

    def path_changed(self, *told: Any) -> None:
        self.states.append(told[-1])


def _track(_: PeerConnection) -> PictureTrack:
    return PictureTrack(lambda _level, _urgent: None, lambda _rate: None)


async def test_who_sends_nothing_falls_silent_within_two_seconds_and_flows_again() -> None:
    owner = _Owner()
    connection = PeerConnection(
        1, offers=True, ways=Ways(), owner=owner, picture_track=_track, screen_track=_track
    )
    connection._change("connected")
    connection._media_at = 100.0
    silent_at = 100.0 + SILENT_S + 0.01
    for now in (100.0, silent_at - 0.02, silent_at):
        connection.tick(now)
    connection._media_at = 200.0
    connection.tick(200.1)
    assert owner.states == ["connected", "flowing", "silent", "flowing"]
    assert silent_at - 100.0 + session.TICK_S < 2.0
    await connection.close()
