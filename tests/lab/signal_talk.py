"""What two clients of a server do together: meet under a tag, and talk."""

from __future__ import annotations

import os
import time

from folkmoot.protocol.signaling import Came
from lab.signal_client import Relayed, SignalClient

_TRYING = b"can you hear me? "


async def meet(one: SignalClient, other: SignalClient, tag: bytes) -> None:
    """Both are under a tag and know of each other, in whatever order they hear it."""
    (ours,) = await one.enter(tag)
    (theirs,) = await other.enter(tag)
    for who, room, whom in ((other, theirs, one), (one, ours, other)):
        if whom.device not in room.devices:
            await who.wait(Came, lambda came, whom=whom: came == Came(tag, whom.device))  # type: ignore[misc]


async def talk(one: SignalClient, other: SignalClient, word: bytes) -> None:
    """A frame goes there and another one back."""
    await one.relay(other.device, word)
    assert await _next(other) == (one.device, 0, word)
    await other.relay(one.device, word)
    assert await _next(one) == (other.device, 0, word)


async def _next(client: SignalClient) -> Relayed:
    """The next frame but those of `until_talk`, which says a word again before the first came."""
    while (frame := await client.relayed())[2].startswith(_TRYING):
        pass
    return frame


async def until_talk(one: SignalClient, other: SignalClient, wait_s: float = 30) -> None:
    """Frames go both ways at last; those that were lost before do not matter."""
    until_s = time.monotonic() + wait_s
    for source, destination in ((one, other), (other, one)):
        word = _TRYING + os.urandom(8)
        while True:
            assert time.monotonic() < until_s
            await source.relay(destination.device, word)
            try:
                while (await destination.relayed(0.5))[2] != word:
                    pass
                break
            except TimeoutError:
                continue
