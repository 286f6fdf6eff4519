"""What goes to one peer: the tracks that aiortc sends from, fed with what is encoded already.

Runs on the loop only. Refuses to keep what the peer cannot get in time: a picture queue that grows
is emptied, and nothing goes on before the next key frame.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Container
from typing import Any, Generic, TypeVar

from aiortc import MediaStreamTrack

from folkmoot.media.encoding import VP8, EncodedPicture
from folkmoot.media.rates import Level

MAX_SOUND_PACKETS = 25
"""Half a second."""
MAX_PICTURES = 8
Item = TypeVar("Item")
SoundPacket = tuple[bytes, int, float, int | None]
"""Payload, timestamp, when its first sample was recorded (`time.monotonic`), and how many dB below
full scale the voice in it is; None where it is nothing but the voice."""


class _Queue(Generic[Item]):
    """A queue with one reader, whose wait costs one future."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: Item) -> None:
        self._items.append(item)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def drop_first(self) -> None:
        self._items.popleft()

    def clear(self) -> None:
        self._items.clear()

    async def get(self) -> Item:
        while not self._items:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._items.popleft()


class SoundTrack(MediaStreamTrack):
    """Opus packets on their way to one peer."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.active = False
        self.sent_bytes = 0
        self.lag_s = 0.0
        """How old the first sample of the last packet was when it was sent."""
        self.level: int | None = None
        """How loud the voice in the last packet is."""
        self._queue: _Queue[SoundPacket] = _Queue()

    def push(
        self, payload: bytes, timestamp: int, age_s: float = 0.0, level: int | None = None
    ) -> None:
        """Send a packet if this connection is the one that is sent on.

        `age_s`: how long ago its first sample was recorded. `level` as in `SoundPacket`.
        """
        if not self.active:
            return
        if len(self._queue) >= MAX_SOUND_PACKETS:
            self._queue.drop_first()
        self._queue.put((payload, timestamp, time.monotonic() - age_s, level))

    async def recv(self) -> Any:
        """What aiortc sends next."""
        return await self._queue.get()

    def pack(self, packet: SoundPacket) -> tuple[list[bytes], int]:
        """Implements `private.Packer`."""
        payload, timestamp, taken_s, self.level = packet
        self.lag_s = max(0.0, time.monotonic() - taken_s)
        self.sent_bytes += len(payload)
        return [payload], timestamp & 0xFFFFFFFF


class PictureTrack(MediaStreamTrack):
    """Encoded pictures on their way to one peer; also what aiortc takes for their encoder.

    `want_key` is called with the level that needs a key frame and whether the peer has nothing yet;
    `estimated` with what the peer says it can take. `takes` are the codecs that it agreed to, and
    `use_codec` is called before a picture of one of them is sent.
    """

    kind = "video"

    def __init__(
        self, want_key: Callable[[Level, bool], None], estimated: Callable[[int], None]
    ) -> None:
        super().__init__()
        self.sent_bytes = 0
        self.sent_pictures = 0
        self.lag_s = 0.0
        """How old the last picture was when it was sent."""
        self.level = Level.FULL
        self.takes: Container[str] = (VP8,)
        self.use_codec: Callable[[str], None] | None = None
        self.asked: Callable[[], None] = lambda: None
        """Called when the peer asks for a key frame."""
        self.codec_words = ""
        self.idle = False
        """There is no source. Whoever receives it knows by the missing reports that it ended."""
        self.pace_bps = 6_000_000.0
        """How fast the packets of a large picture may follow each other, where that is asked."""
        self._active = False
        self._waits_for_key = True
        self._want_key = want_key
        self._estimated = estimated
        self._queue: _Queue[EncodedPicture] = _Queue()

    @property
    def active(self) -> bool:
        """Whether pictures go this way; a peer with two connections gets them on one."""
        return self._active

    @property
    def is_behind(self) -> bool:
        """Whether a picture waits while another one is on its way. Any thread."""
        return len(self._queue) > 0

    def start(self) -> None:
        """Begin to send, with a key frame."""
        self._active, self._waits_for_key = True, True
        self._want_key(self.level, True)

    def pause(self) -> None:
        """Send nothing more; what waits is dropped."""
        self._active = False
        self._queue.clear()

    def set_level(self, level: Level) -> None:
        """Send another level from now on; another encoding begins with a key frame."""
        before, self.level = self.level, level
        if (before is Level.LOW) != (level is Level.LOW):
            self._waits_for_key = True
            if self._active:
                self._want_key(level, True)

    def key_wanted(self) -> None:
        """The peer asks for a key frame."""
        self.asked()
        if self._active:
            self._want_key(self.level, False)

    def push(self, picture: EncodedPicture, *, low: bool) -> None:
        """Take a picture of the main or the small encoding, and drop what is not for this peer."""
        if not self._active or low != (self.level is Level.LOW) or picture.codec not in self.takes:
            return
        if self._waits_for_key and not picture.key:
            self._want_key(self.level, False)
            return
        if len(self._queue) >= MAX_PICTURES:
            self._queue.clear()
            self._waits_for_key = True
            self._want_key(self.level, False)
            return
        self._waits_for_key = False
        # A key frame is never in the upper layer: the layers begin anew with it.
        if self.level is Level.BASE and picture.layer > 0:
            return
        self._queue.put(picture)

    async def recv(self) -> Any:
        """What aiortc sends next."""
        return await self._queue.get()

    def pack(self, packet: EncodedPicture) -> tuple[list[bytes], int]:
        """Implements `private.Packer`."""
        self.sent_bytes += packet.size
        self.sent_pictures += 1
        self.codec_words = packet.codec_words
        if self.use_codec is not None:
            self.use_codec(packet.codec)
        self.lag_s = packet.age_s(time.monotonic_ns())
        return packet.payloads, packet.timestamp

    @property
    def target_bitrate(self) -> int:
        """aiortc sets it when the peer says what it can take (REMB)."""
        return 0

    @target_bitrate.setter
    def target_bitrate(self, rate_bps: int) -> None:
        self._estimated(rate_bps)
