"""The size that a key frame announces, before a decoder makes room for it.

Owns the reading of the heads of VP8 (RFC 6386 section 9.1) and H264 (ITU-T H.264 section 7.3.2.1.1:
the sequence parameter set). Never raises: what it cannot read announces nothing,
and is left to the decoder, which has the same bound.
"""

from __future__ import annotations

_SPS = 7
_MOST_SPS_BYTES = 256
_WITH_CHROMA = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
"""Profiles whose parameter sets tell the kind of chroma, and perhaps scaling lists."""


def announced_pixels(codec: str, data: bytes) -> int:
    """Width times height that `data` of `codec` (``VP8`` or ``H264``) announces; 0 for nothing."""
    return _vp8(data) if codec == "VP8" else _h264(data)


def _vp8(data: bytes) -> int:
    if len(data) < 10 or data[3:6] != b"\x9d\x01\x2a":
        return 0
    width = int.from_bytes(data[6:8], "little") & 0x3FFF
    return width * (int.from_bytes(data[8:10], "little") & 0x3FFF)


def _h264(data: bytes) -> int:
    """The largest of all parameter sets in a frame of units with start codes."""
    most, at = 0, 0
    while (at := data.find(b"\x00\x00\x01", at)) >= 0:
        at += 3
        if at < len(data) and data[at] & 0x1F == _SPS:
            most = max(most, _sps_pixels(data[at + 1 : at + _MOST_SPS_BYTES]))
    return most


def _sps_pixels(unit: bytes) -> int:
    try:
        return _read_sps(_Bits(unit.replace(b"\x00\x00\x03", b"\x00\x00")))
    except IndexError:
        return 0


def _read_sps(bits: _Bits) -> int:
    profile = bits.take(8)
    bits.take(16)  # constraints, level
    bits.golomb()  # its number
    if profile in _WITH_CHROMA:
        _skip_chroma(bits)
    bits.golomb()  # length of the frame number
    kind = bits.golomb()
    if kind == 0:
        bits.golomb()
    elif kind == 1:
        bits.take(1)
        bits.golomb()
        bits.golomb()
        for _ in range(min(bits.golomb(), 256)):
            bits.golomb()
    bits.golomb()  # reference frames
    bits.take(1)
    width = (bits.golomb() + 1) * 16
    height = (bits.golomb() + 1) * 16
    return width * height * (1 if bits.take(1) else 2)  # else in fields


def _skip_chroma(bits: _Bits) -> None:
    chroma = bits.golomb()
    if chroma == 3:
        bits.take(1)
    bits.golomb()
    bits.golomb()
    bits.take(1)
    if not bits.take(1):
        return
    for number in range(8 if chroma != 3 else 12):
        if bits.take(1):
            _skip_list(bits, 16 if number < 6 else 64)


def _skip_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            code = bits.golomb()
            step = (code + 1) // 2 if code & 1 else -(code // 2)
            following = (last + step) % 256
        last = following or last


class _Bits:
    """Reads bits, highest first. Raises `IndexError` at the end."""

    def __init__(self, data: bytes) -> None:
        self._number = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        """`count` bits as a number."""
        if count > self._left:
            raise IndexError
        self._left -= count
        return (self._number >> self._left) & ((1 << count) - 1)

    def golomb(self) -> int:
        """An unsigned Exp-Golomb code (section 9.1)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise IndexError
        return (1 << zeros) - 1 + self.take(zeros)
