"""Opus by libopus itself: encoding, decoding, forward error correction and concealment.

Owns the handles of libopus and frees them. FFmpeg's wrapper offers neither concealment nor the
decoding of FEC (RFC 6716 section 2.1.7), so the library inside PyAV's wheel is called directly.
Refuses packets that libopus calls broken (`OpusError`), and to guess what was lost where: that is
the business of `audio_buffer`.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
FRAME_SAMPLES = 960
MAX_SAMPLES = 5_760  # 120 ms, the longest packet (RFC 6716 section 2.1.4).
MAX_PAYLOAD = 1_275 * 6

_VOIP, _AUDIO = 2048, 2049
_SIGNAL_AUTO, _SIGNAL_VOICE = -1000, 3001
_SET_BITRATE = 4002
_SET_COMPLEXITY = 4010
_SET_FEC = 4012
_SET_LOSS = 4014
_SET_DTX = 4016
_SET_SIGNAL = 4024
_COMPLEXITY = 8

Samples = NDArray[np.int16]


class OpusError(Exception):
    """libopus is missing, or refused what it was given."""


def _candidates() -> Iterator[str]:
    """Paths of libopus: inside PyAV's wheel, inside a frozen bundle, then the system's."""
    roots: list[Path] = []
    spec = importlib.util.find_spec("av")
    for place in (spec.submodule_search_locations or []) if spec else []:
        roots += [Path(place).parent / "av.libs", Path(place) / ".dylibs", Path(place)]
    bundle = getattr(sys, "_MEIPASS", None)
    if bundle:
        roots += [Path(bundle), Path(bundle) / "av.libs", Path(bundle) / "av" / ".dylibs"]
    names = {"win32": "*opus*.dll", "darwin": "libopus*.dylib"}
    for root in roots:
        yield from map(str, sorted(root.glob(names.get(sys.platform, "libopus*.so*"))))
    found = ctypes.util.find_library("opus")
    if found:
        yield found


@functools.cache
def _library() -> ctypes.CDLL:
    tried = []
    for path in _candidates():
        try:
            return _declare(ctypes.CDLL(path))
        except (OSError, AttributeError) as error:
            tried.append(f"{path}: {error}")
    raise OpusError("libopus was not found; tried: " + ("; ".join(tried) or "nothing"))


def load() -> None:
    """Look for libopus now, which reads folders, and not first on a loop's thread.

    Raises `OpusError` when it is missing.
    """
    _library()


def _declare(lib: ctypes.CDLL) -> ctypes.CDLL:
    """Say the types of what is called (`opus.h`)."""
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    result = ctypes.POINTER(ctypes.c_int)
    for name, answer, arguments in (
        ("opus_encoder_create", pointer, [ctypes.c_int32, integer, integer, result]),
        ("opus_encode", ctypes.c_int32, [pointer, pointer, integer, pointer, ctypes.c_int32]),
        # Only the fixed arguments: what follows is variadic, which some systems pass differently.
        ("opus_encoder_ctl", integer, [pointer, integer]),
        ("opus_encoder_destroy", None, [pointer]),
        ("opus_decoder_create", pointer, [ctypes.c_int32, integer, result]),
        (
            "opus_decode",
            integer,
            [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, integer, integer],
        ),
        ("opus_decoder_destroy", None, [pointer]),
        ("opus_strerror", ctypes.c_char_p, [integer]),
    ):
        function = getattr(lib, name)
        function.restype = answer
        function.argtypes = arguments
    return lib


def _checked(lib: ctypes.CDLL, code: int) -> int:
    if code < 0:
        raise OpusError(str(lib.opus_strerror(code).decode("ascii", "replace")))
    return code


class OpusEncoder:
    """Encodes 20 ms of mono speech at 48 kHz at a time. For one thread.

    `music`: for any sound, of which speech is but one. Raises `OpusError` when libopus is missing.
    """

    def __init__(
        self,
        bitrate_bps: int = 32_000,
        *,
        fec: bool = True,
        dtx: bool = True,
        music: bool = False,
    ) -> None:
        self._handle: int | None = None
        self._lib = _library()
        code = ctypes.c_int(0)
        use = _AUDIO if music else _VOIP
        self._handle = self._lib.opus_encoder_create(RATE, 1, use, ctypes.byref(code))
        _checked(self._lib, code.value)
        self._room = (ctypes.c_ubyte * 1_275)()
        self._set(_SET_SIGNAL, _SIGNAL_AUTO if music else _SIGNAL_VOICE)
        self._set(_SET_COMPLEXITY, _COMPLEXITY)
        self._set(_SET_FEC, int(fec))
        self._set(_SET_DTX, int(dtx))
        self.set_bitrate(bitrate_bps)

    def encode(self, samples: Samples) -> bytes:
        """A packet of `samples` (int16[960]); one of at most 2 bytes need not be sent (DTX)."""
        if self._handle is None:
            raise OpusError("the encoder is closed")
        if samples.dtype != np.int16 or samples.shape != (FRAME_SAMPLES,):
            raise OpusError("an Opus frame is int16[960]")
        flat = np.ascontiguousarray(samples)
        size = self._lib.opus_encode(
            self._handle, flat.ctypes.data, FRAME_SAMPLES, self._room, len(self._room)
        )
        return bytes(memoryview(self._room)[: _checked(self._lib, size)])

    def set_loss(self, percent: float) -> None:
        """What share of the packets gets lost (0–100): FEC takes its share of the rate from it."""
        self._set(_SET_LOSS, max(0, min(100, round(percent))))

    def set_bitrate(self, bps: int) -> None:
        self._set(_SET_BITRATE, max(6_000, min(510_000, int(bps))))

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            self._lib.opus_encoder_destroy(handle)

    def __del__(self) -> None:
        self.close()

    def _set(self, request: int, value: int) -> None:
        if self._handle is None:
            raise OpusError("the encoder is closed")
        _checked(self._lib, self._lib.opus_encoder_ctl(self._handle, request, ctypes.c_int(value)))


class OpusDecoder:
    """Decodes Opus to mono at 48 kHz, whatever the sender's channels. For one thread."""

    def __init__(self) -> None:
        self._handle: int | None = None
        self._lib = _library()
        code = ctypes.c_int(0)
        self._handle = self._lib.opus_decoder_create(RATE, 1, ctypes.byref(code))
        _checked(self._lib, code.value)
        self._room = np.empty(MAX_SAMPLES, np.int16)
        self._has_fec = getattr(self._lib, "opus_packet_has_lbrr", None)

    def decode(self, payload: bytes) -> Samples:
        """The samples of a packet. Raises `OpusError` on a broken one."""
        if not payload:
            raise OpusError("an empty packet")
        return self._run(payload, MAX_SAMPLES, 0)

    def decode_fec(self, next_payload: bytes, samples: int) -> Samples:
        """The `samples` before `next_payload`, from the copy it may carry; else concealed."""
        if not next_payload:
            raise OpusError("an empty packet")
        return self._run(next_payload, _whole(samples), 1)

    def has_fec(self, payload: bytes) -> bool:
        """Whether `payload` carries a copy of the packet before it (an old libopus: perhaps)."""
        if not payload or self._has_fec is None:
            return bool(payload)
        return bool(self._has_fec(ctypes.c_char_p(payload), ctypes.c_int32(len(payload))) == 1)

    def conceal(self, samples: int) -> Samples:
        """Invent `samples` (a multiple of 2.5 ms, at most 120 ms) that go on from the last."""
        return self._run(None, _whole(samples), 0)

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            self._lib.opus_decoder_destroy(handle)

    def __del__(self) -> None:
        self.close()

    def _run(self, payload: bytes | None, room: int, fec: int) -> Samples:
        if self._handle is None:
            raise OpusError("the decoder is closed")
        size = len(payload) if payload else 0
        if size > MAX_PAYLOAD:
            raise OpusError("a packet longer than Opus knows")
        count = self._lib.opus_decode(
            self._handle, payload, size, self._room.ctypes.data, room, fec
        )
        return self._room[: _checked(self._lib, count)].copy()


def _whole(samples: int) -> int:
    """The multiple of 2.5 ms at or above `samples`, within what libopus takes."""
    step = RATE // 400
    return max(step, min(MAX_SAMPLES, -(-samples // step) * step))
