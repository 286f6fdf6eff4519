"""Whole video frames out of packets: a frame leaves as soon as its last packet is there.

Owns order, the asking for lost packets (RFC 4585 NACK, timed), and the decision to give up: a hole
in a frame that no other refers to is skipped, any other is waited for until it is filled or a whole
key frame lies behind it, which is asked for (PLI). Pure: the time is an argument. Senders renumber
for each receiver, so a gap in the sequence is always loss. Refuses to decode, never raises on
input, and holds at most `MOST_PACKETS` and `MOST_BYTES`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from folkmoot.media.receive.payload import Piece, parse

MOST_PACKETS = 2_048
MOST_BYTES = 6 * 1024 * 1024
MOST_FRAME_BYTES = 4 * 1024 * 1024
_MOST_MISSING = 600
_REORDER_S = 0.005
_PATIENCE_S = 0.01
_NACKS_AT_ONCE = 200
_TRIES = 10
_FAR_S = 0.06
"""From this round trip on each hole is asked for twice at once: waiting to see costs too much."""
_FEW_HOLES = 40
_MUCH_LOSS = 0.10
_AGAIN = 0.3
_MOST_PLI_S = 2.0


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One frame for the decoder; `timestamp` counts 1/90,000 s without wrapping around.

    `mended`: a part of it was asked for again, and came.
    """

    timestamp: int
    data: bytes
    key: bool
    droppable: bool
    mended: bool = False


@dataclass(slots=True)
class Wishes:
    """What came out of `VideoBuffer.poll`."""

    frames: list[EncodedFrame] = field(default_factory=list)
    nacks: list[int] = field(default_factory=list)
    pli: bool = False


@dataclass(slots=True)
class VideoCounters:
    """Sums since the start."""

    packets: int = 0
    bytes: int = 0
    lost: int = 0
    nacks: int = 0
    plis: int = 0
    refused: int = 0
    giants: int = 0
    skipped: int = 0


@dataclass(slots=True)
class _Kept:
    timestamp: int
    marker: bool
    piece: Piece
    again: bool


@dataclass(slots=True)
class _Hole:
    since: float
    ask_at: float
    tries: int = 0


class VideoBuffer:
    """For one source. Times are seconds of one monotonic clock.

    `patient`: a whole picture is so large that repairs are waited for longer before one is asked
    for.
    """

    def __init__(self, codec: str = "VP8", *, patient: bool = False) -> None:
        self.counters = VideoCounters()
        self._codec = codec
        self._patient = patient
        self._stuck_rtts, self._stuck_s = (6.0, 0.4) if patient else (2.5, 0.05)
        self._pli_at, self._pli_wait = -1e9, 0.0
        self.reset()

    def reset(self) -> None:
        """Forget the stream and wait for a key frame; the counters stay."""
        self._kept: dict[int, _Kept] = {}
        self._size = 0
        self._holes: dict[int, _Hole] = {}
        self._highest: int | None = None
        self._newest_stamp = 0
        self._next = 0
        self._scan = 0
        self._frame_bytes = 0
        self._keys: list[int] = []
        self._last_base: int | None = None
        self._top_layer = 1
        self._loss = 0.0
        self.waiting_for_key = True

    def note_sound(self) -> None:
        """The decoder made pictures for a while: requests are answered, and may be made soon."""
        self._pli_wait = 0.0

    def want_key(self) -> None:
        """The decoder cannot go on: release nothing but a key frame, and ask for it."""
        self.waiting_for_key = True

    @property
    def held(self) -> tuple[int, int]:
        """Packets and bytes that are kept."""
        return len(self._kept), self._size

    @property
    def busy(self) -> bool:
        """Whether `poll` has something to do with time: a hole, or a key frame to ask for."""
        return bool(self._holes) or self.waiting_for_key

    # In.

    def push(
        self, sequence: int, timestamp: int, marker: bool, payload: bytes, now_s: float
    ) -> None:
        """A packet, in any order; nonsense is counted and dropped."""
        self.counters.packets += 1
        self.counters.bytes += len(payload)
        try:
            piece = parse(self._codec, payload) if payload else Piece(b"", False, False)
        except ValueError:
            self.counters.refused += 1
            return
        seq = self._placed(sequence & 0xFFFF, now_s)
        if seq < self._next or seq in self._kept:
            return
        stamp = self._newest_stamp + _signed(timestamp - self._newest_stamp, 32)
        self._newest_stamp = max(self._newest_stamp, stamp)
        hole = self._holes.pop(seq, None)
        again = hole is not None and hole.tries > 0
        self._kept[seq] = _Kept(stamp, marker, piece, again)
        self._size += len(piece.data)
        self._top_layer = max(self._top_layer, piece.layer)
        if piece.key and piece.begins:
            self._note_key(seq, stamp)
        if len(self._kept) > MOST_PACKETS or self._size > MOST_BYTES:
            self._overflow()

    def _note_key(self, seq: int, stamp: int) -> None:
        """Where a key frame begins: of H264, whose units all begin, the first that came."""
        same = [one for one in self._keys if self._kept[one].timestamp == stamp]
        if not any(one < seq for one in same):
            self._keys = [one for one in self._keys if one not in same] + [seq]

    def _placed(self, sequence: int, now: float) -> int:
        if self._highest is None:
            self._begin(sequence + 65_536)
            return sequence + 65_536
        seq = self._highest + _signed(sequence - self._highest, 16)
        if seq > self._highest:
            gap = seq - self._highest - 1
            if gap > _MOST_MISSING or len(self._holes) + gap > _MOST_MISSING:
                self.counters.lost += gap
                self.reset()
                self._begin(seq)
                return seq
            self.counters.lost += gap
            self._loss += _loss_step(gap, self._loss)
            for lost in range(self._highest + 1, seq):
                self._holes[lost] = _Hole(now, now + _REORDER_S)
            self._highest = seq
        elif self._highest - seq > 2 * _MOST_MISSING:
            # Far behind: another numbering, not a late packet.
            self.reset()
            self._begin(seq)
        return seq

    def _begin(self, seq: int) -> None:
        self._highest = self._next = self._scan = seq

    def _overflow(self) -> None:
        self.counters.giants += 1
        self._jump(max(self._kept) + 1)
        self.waiting_for_key = True

    # Out.

    def poll(self, now_s: float, rtt_s: float, hold_s: float = 0.0) -> Wishes:
        """The frames that are whole, and what to ask the sender for.

        `hold_s`: how late pictures are shown anyway, so that a repair has so much time.
        """
        rtt = min(1.0, max(0.01, rtt_s))
        wishes = Wishes()
        self._release(wishes.frames)
        while self._skip(now_s, rtt, hold_s):
            self._release(wishes.frames)
        self._ask(wishes, now_s, rtt)
        return wishes

    def _release(self, frames: list[EncodedFrame]) -> None:
        """Go over the packets without a hole; each is looked at once."""
        while (kept := self._kept.get(self._scan)) is not None:
            first = self._kept[self._next]
            if kept.timestamp != first.timestamp:
                # A sender without marker bits: the next frame ends the one before.
                self._finish(self._scan, frames)
                continue
            self._frame_bytes += len(kept.piece.data)
            self._scan += 1
            if self._frame_bytes > MOST_FRAME_BYTES:
                self.counters.giants += 1
                self._jump(self._scan)
                self.waiting_for_key = True
            elif kept.marker:
                self._finish(self._scan, frames)

    def _finish(self, end: int, frames: list[EncodedFrame]) -> None:
        kept = [self._kept[seq] for seq in range(self._next, end)]
        self._jump(end)
        pieces = [one.piece for one in kept if one.piece.data]
        if not pieces:
            return
        key = any(piece.key for piece in pieces)
        if not pieces[0].begins or (self.waiting_for_key and not key):
            if not self.waiting_for_key:
                self.waiting_for_key = True
            return
        self.waiting_for_key = False
        if pieces[0].base_index is not None:
            self._last_base = pieces[0].base_index
        data = b"".join(piece.data for piece in pieces)
        mended = any(one.again for one in kept)
        droppable = self._can_miss(pieces[0]) and not key
        frames.append(EncodedFrame(kept[0].timestamp, data, key, droppable, mended))

    def _jump(self, seq: int) -> None:
        """Everything before `seq` is done with."""
        for old in range(self._next, seq) if seq - self._next < 4_096 else list(self._kept):
            kept = self._kept.pop(old, None) if old < seq else None
            if kept is not None:
                self._size -= len(kept.piece.data)
            self._holes.pop(old, None)
        for old in [one for one in self._holes if one < seq]:
            del self._holes[old]
        self._keys = [one for one in self._keys if one >= seq]
        self._next = self._scan = seq
        self._frame_bytes = 0
        if self._highest is not None:
            self._highest = max(self._highest, seq - 1)

    def _can_miss(self, piece: Piece) -> bool:
        return piece.droppable or piece.layer >= self._top_layer

    def _skip(self, now: float, rtt: float, hold: float) -> bool:
        """Leave a hole behind where that does no harm. True when there may be more frames."""
        hole = self._holes.get(self._scan)
        if hole is None:
            return False
        age = now - hole.since
        if self._keys and (self.waiting_for_key or age > 1.2 * rtt + 0.02):
            for key in reversed(self._keys):
                if key > self._scan and self._is_whole(key):
                    self.counters.skipped += 1
                    self._jump(key)
                    return True
        after = None
        if age > min(hold, 1.3 * rtt) + _PATIENCE_S:
            after = self._droppable_hole()
        # While nothing that comes after it can be shown, waiting costs nothing.
        if after is not None and (age > 1.3 * rtt + 0.03 or self._is_whole(after)):
            self.counters.skipped += 1
            self._jump(after)
            return True
        if age > 4 * rtt + 1.0 and not self.waiting_for_key:
            self.waiting_for_key = True
        given_up = not self._patient or hole.tries >= _TRIES
        if self.waiting_for_key and age > 1.2 * rtt + 0.05 and not self._keys and given_up:
            # Nothing before the hole is of use, nor is the frame that it is in.
            self._jump(self._after_holes())
            return True
        return False

    def _is_whole(self, start: int) -> bool:
        seq = start
        while (kept := self._kept.get(seq)) is not None:
            if kept.marker:
                return True
            seq += 1
        return False

    def _after_holes(self) -> int:
        seq = self._scan
        while seq in self._holes:
            seq += 1
        return seq

    def _droppable_hole(self) -> int | None:
        """Where to go on when the hole lies within frames that no other needs, else None."""
        after = self._after_holes()
        kept = self._kept.get(after)
        head = self._kept.get(self._next)
        if kept is None:
            return None
        if head is not None and self._scan > self._next:
            # The frame has begun, and its own head says what it is.
            if not self._can_miss(head.piece):
                return None
            if kept.timestamp == head.timestamp:
                return self._end_of(after, kept.timestamp)
            return self._scan if self._follows(kept.piece, head.piece.base_index) else None
        if self._follows(kept.piece, self._last_base):
            return after if kept.piece.begins else self._end_of(after, kept.timestamp)
        if kept.piece.base_index is None and not kept.piece.begins and after - self._scan == 1:
            # One packet is missing: the head of a frame that says in each packet what it is.
            return self._end_of(after, kept.timestamp) if self._can_miss(kept.piece) else None
        return None

    def _follows(self, piece: Piece, base: int | None) -> bool:
        """Whether what lies between the base frame `base` and `piece` can be missed.

        The base layer counts its frames: when none of those is missing, others are.
        """
        if piece.base_index is None or base is None:
            return False
        step = (piece.base_index - base) & 0xFF
        if self._can_miss(piece):
            return step == 0
        return step == 1 and piece.begins

    def _end_of(self, seq: int, timestamp: int) -> int | None:
        """Behind the frame that `seq` is in: its marker, or the last of it that came."""
        last = seq
        while True:
            kept = self._kept.get(seq)
            if kept is None:
                if seq not in self._holes:
                    return None
            elif kept.timestamp != timestamp:
                return last + 1
            elif kept.marker:
                return seq + 1
            else:
                last = seq
            seq += 1

    def _patience(self, tries: int, rtt: float) -> float:
        """How long to wait for an answer, in round trips.

        Either way may lose it. Where the way is long the second request goes out before the answer
        to the first can be here; what failed both times is asked for twice a round trip.
        """
        if rtt > _FAR_S and len(self._holes) <= _FEW_HOLES:
            at_once = 2 if self._loss < _MUCH_LOSS else 3
            if tries < at_once:
                return 0.25
            return 1.1 - 0.25 * (at_once - 1) if tries == at_once else _AGAIN
        return 1.1 if tries == 1 else 0.55

    def _ask(self, wishes: Wishes, now: float, rtt: float) -> None:
        for seq, hole in self._holes.items():
            if now < hole.ask_at or hole.tries >= _TRIES:
                continue
            if len(wishes.nacks) >= _NACKS_AT_ONCE:
                break
            hole.tries += 1
            hole.ask_at = now + max(0.02, rtt * self._patience(hole.tries, rtt))
            wishes.nacks.append(seq & 0xFFFF)
        self.counters.nacks += len(wishes.nacks)
        oldest = self._holes.get(self._scan)
        waited = self._stuck_rtts * rtt + self._stuck_s
        stuck = oldest is not None and now - oldest.since > waited
        wait = max(1.5 * rtt + 0.1, self._pli_wait)
        if self._mends_key():
            return
        if (self.waiting_for_key or stuck) and now - self._pli_at > wait:
            # Who answers none of them is asked less and less often.
            self._pli_at, self._pli_wait = now, min(_MOST_PLI_S, 1.5 * wait)
            self.counters.plis += 1
            wishes.pli = True

    def _mends_key(self) -> bool:
        """Whether a large key frame is being repaired: another one would only be late as well."""
        return (
            self._patient
            and self.waiting_for_key
            and bool(self._keys)
            and bool(self._holes)
            and all(hole.tries < _TRIES for hole in self._holes.values())
        )


def _loss_step(gap: int, loss: float) -> float:
    """What one packet after `gap` lost ones changes at a share of loss over about 200."""
    return (gap / (gap + 1) - loss) * min(1.0, (gap + 1) / 200)


def _signed(difference: int, bits: int) -> int:
    """`difference` modulo 2**bits, as the nearest number around zero (RFC 1982)."""
    half = 1 << (bits - 1)
    return ((difference + half) & ((1 << bits) - 1)) - half
