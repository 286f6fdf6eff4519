"""A Matroska file (RFC 9559) that can be played whenever its writing ends.

Each cluster is written whole, twice a second. The length stands in the head and is mended as it
grows, and so is the list of tracks, which has room for those who come later: what a reader finds at
any moment is right. Refuses (`None`) more tracks than fit.
"""

from __future__ import annotations

import struct

from folkmoot.media.recording.coding import Coded, PictureFormat, SoundFormat
from folkmoot.media.recording.disk import RecordingFile
from folkmoot.media.recording.ebml import UNKNOWN, element, real, text, unsigned, void, wide_size

CLUSTER_MS = 500
_MS = 1_000_000
_SEEK_ROOM, _TRACKS_ROOM = 128, 48 * 1024
_HEAD = element(
    0x1A45DFA3,
    *(unsigned(0x4286, 1), unsigned(0x42F7, 1), unsigned(0x42F2, 4), unsigned(0x42F3, 8)),
    *(text(0x4282, "matroska"), unsigned(0x4287, 4), unsigned(0x4285, 2)),
)
_SEGMENT, _INFO, _TRACKS, _CUES = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1C53BB6B
_CLUSTER = 0x1F43B675
_KEY = 0x80


class MatroskaWriter:
    """Writes into `file`. Raises `OSError`; what was written before stays whole."""

    def __init__(self, file: RecordingFile) -> None:
        self._file = file
        self._tracks = 0
        self._pictures: set[int] = set()
        self._blocks: list[bytes] = []
        self._cluster_ms = 0
        self._end_ms = 0
        self._cues: list[tuple[int, int, int]] = []  # milliseconds, track, place of the cluster
        self._keys: list[tuple[int, int]] = []  # of the cluster that is gathered
        self._write_head()

    def add_picture(self, name: str, form: PictureFormat) -> int | None:
        """Add a track for pictures; its number."""
        video = element(0xE0, unsigned(0xB0, form.width), unsigned(0xBA, form.height))
        codec = text(0x86, "V_MPEG4/ISO/AVC") + element(0x63A2, form.avcc)
        codec += unsigned(0x23E383, form.lasts_ns)
        number = self._add(name, 1, codec, video)
        if number is not None:
            self._pictures.add(number)
        return number

    def add_sound(self, name: str, form: SoundFormat) -> int | None:
        """Add a track for sound; its number."""
        delay = form.delay_samples * 1_000_000_000 // form.rate
        codec = text(0x86, "A_OPUS") + element(0x63A2, form.private)
        codec += unsigned(0x56AA, delay) + unsigned(0x56BB, 80_000_000)
        audio = element(0xE1, real(0xB5, float(form.rate)), unsigned(0x9F, 1))
        return self._add(name, 2, codec, audio)

    def put(self, number: int, coded: Coded) -> None:
        """Add what was coded, in the order of time but for a moment."""
        at_ms = round(coded.at_ns / _MS)
        if self._blocks and at_ms - self._cluster_ms >= CLUSTER_MS:
            self.flush()
        if not self._blocks:
            self._cluster_ms = max(0, at_ms)
        key = number not in self._pictures or coded.key
        relative = max(-32_768, min(32_767, at_ms - self._cluster_ms))
        block = _vint(number) + struct.pack(">hB", relative, _KEY if key else 0) + coded.data
        self._blocks.append(element(0xA3, block))
        self._end_ms = max(self._end_ms, round((coded.at_ns + coded.lasts_ns) / _MS))
        if number in self._pictures and coded.key:
            self._keys.append((at_ms, number))

    def flush(self) -> None:
        """Write the cluster that is gathered."""
        if not self._blocks:
            return
        blocks, self._blocks = self._blocks, []
        keys, self._keys = self._keys, []
        place = self._file.tell()
        try:
            self._file.write(element(_CLUSTER, unsigned(0xE7, self._cluster_ms), *blocks))
        except OSError:
            self._file.cut(place)
            raise
        self._cues += [(at, track, place - self._segment) for at, track in keys]
        self._file.write_at(self._length, real(0x4489, float(self._end_ms)))

    def finish(self) -> None:
        """Write the rest, and where to seek to. The file stays open."""
        self.flush()
        end = self._file.tell()
        try:
            self._file.write(element(_CUES, *(_cue(*each) for each in self._cues)))
        except OSError:  # it plays without
            self._file.cut(end)
            return
        self._write_seeks(end if self._cues else None)
        total = self._file.tell() - self._segment
        self._file.write_at(self._segment - 8, wide_size(total))

    def _write_head(self) -> None:
        self._file.write(_HEAD + _SEGMENT.to_bytes(4, "big") + UNKNOWN)
        self._segment = self._file.tell()
        self._file.write(void(_SEEK_ROOM))
        self._info = self._file.tell()
        scale = unsigned(0x2AD7B1, _MS)
        length = real(0x4489, 0.0)
        words = text(0x4D80, "Folkmoot") + text(0x5741, "Folkmoot")
        info = element(_INFO, scale, words, length)
        self._length = self._info + len(info) - len(length)
        self._file.write(info)
        self._list = self._file.tell()
        head = _TRACKS.to_bytes(4, "big") + wide_size(_TRACKS_ROOM)
        self._file.write(head + void(_TRACKS_ROOM))
        self._free = self._list + len(head)
        self._list_end = self._file.tell()
        self._write_seeks(None)

    def _write_seeks(self, cues: int | None) -> None:
        places = {_INFO: self._info, _TRACKS: self._list}
        if cues is not None:
            places[_CUES] = cues
        seeks = element(
            0x114D9B74,
            *(
                element(
                    0x4DBB,
                    element(0x53AB, number.to_bytes(4, "big")),
                    unsigned(0x53AC, place - self._segment),
                )
                for number, place in places.items()
            ),
        )
        self._file.write_at(self._segment, seeks + void(_SEEK_ROOM - len(seeks)))

    def _add(self, name: str, kind: int, *parts: bytes) -> int | None:
        number = self._tracks + 1
        entry = element(
            0xAE,
            *(unsigned(0xD7, number), unsigned(0x73C5, number), unsigned(0x83, kind)),
            *(unsigned(0x9C, 0), text(0x22B59C, "und")),
            *((text(0x536E, name[:128]),) if name else ()),
            *parts,
        )
        left = self._list_end - self._free - len(entry)
        if left < 9 or number > 126:
            return None
        # The entry stands behind the head of an empty space until that head is written over: a
        # reader sees it whole or not at all.
        new = entry + void(left)[:9]
        self._file.write_at(self._free + 9, new[9:])
        self._file.write_at(self._free, new[:9])
        self._free += len(entry)
        self._tracks = number
        return number


def _vint(number: int) -> bytes:
    return bytes([0x80 | number])


def _cue(at_ms: int, track: int, place: int) -> bytes:
    where = element(0xB7, unsigned(0xF7, track), unsigned(0xF1, place))
    return element(0xBB, unsigned(0xB3, max(0, at_ms)), where)
