"""What is used of `libpulse`, by ctypes, and a connection to the server of PulseAudio or PipeWire.

Owns the types of the calls (pulse/context.h, stream.h, introspect.h). Refuses to start a server,
and to wait: a connection is turned by the one thread that made it, a moment at a time.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from typing import Any

READY, FAILED = 4, 5
"""States of a context: from `FAILED` on it is of no more use."""
STREAM_FAILED = 3
NOBODY = 0xFFFFFFFF
S16_NATIVE = 3 if sys.byteorder == "little" else 4
DONT_MOVE, ADJUST_LATENCY = 0x0200, 0x2000
DONT_KEEP_AWAKE, START_UNMUTED = 0x8000, 0x10000
SINK_INPUTS = 0x0004
_NO_AUTOSPAWN = 1

_pointer, _number, _text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
TAKE_ROW = ctypes.CFUNCTYPE(None, _pointer, ctypes.POINTER(_text), _number, _pointer)
"""The first member of what is told about a sink or a source is its name."""
TAKE_EVENT = ctypes.CFUNCTYPE(None, _pointer, _number, ctypes.c_uint32, _pointer)


class SampleSpec(ctypes.Structure):
    """pa_sample_spec."""

    _fields_ = (("format", _number), ("rate", ctypes.c_uint32), ("channels", ctypes.c_uint8))


class BufferAttributes(ctypes.Structure):
    """pa_buffer_attr, in bytes; all bits set: the server chooses."""

    _fields_ = tuple(
        (name, ctypes.c_uint32) for name in ("most", "target", "prefill", "least", "fragment")
    )


class ClientInfo(ctypes.Structure):
    """The beginning of pa_client_info."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("name", _text),
        ("module", ctypes.c_uint32),
        ("driver", _text),
        ("properties", _pointer),
    )


class _ChannelMap(ctypes.Structure):
    _fields_ = (("channels", ctypes.c_uint8), ("map", _number * 32))


class _Volumes(ctypes.Structure):
    _fields_ = (("channels", ctypes.c_uint8), ("values", ctypes.c_uint32 * 32))


class SinkInputInfo(ctypes.Structure):
    """The beginning of pa_sink_input_info: a sound that is played."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("name", _text),
        ("module", ctypes.c_uint32),
        ("client", ctypes.c_uint32),
        ("sink", ctypes.c_uint32),
        ("format", SampleSpec),
        ("map", _ChannelMap),
        ("volumes", _Volumes),
        ("buffered_us", ctypes.c_uint64),
        ("sink_us", ctypes.c_uint64),
        ("resampler", _text),
        ("driver", _text),
        ("is_muted", _number),
        ("properties", _pointer),
    )


TAKE_CLIENT = ctypes.CFUNCTYPE(None, _pointer, ctypes.POINTER(ClientInfo), _number, _pointer)
TAKE_INPUT = ctypes.CFUNCTYPE(None, _pointer, ctypes.POINTER(SinkInputInfo), _number, _pointer)

_size = ctypes.c_size_t
_CALLS: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
    ("pa_mainloop_new", _pointer, ()),
    ("pa_mainloop_get_api", _pointer, (_pointer,)),
    ("pa_mainloop_prepare", _number, (_pointer, _number)),
    ("pa_mainloop_poll", _number, (_pointer,)),
    ("pa_mainloop_dispatch", _number, (_pointer,)),
    ("pa_mainloop_free", None, (_pointer,)),
    ("pa_context_new", _pointer, (_pointer, _text)),
    ("pa_context_connect", _number, (_pointer, _text, _number, _pointer)),
    ("pa_context_disconnect", None, (_pointer,)),
    ("pa_context_unref", None, (_pointer,)),
    ("pa_context_get_state", _number, (_pointer,)),
    ("pa_context_get_sink_info_list", _pointer, (_pointer, TAKE_ROW, _pointer)),
    ("pa_context_get_source_info_list", _pointer, (_pointer, TAKE_ROW, _pointer)),
    ("pa_context_get_client_info_list", _pointer, (_pointer, TAKE_CLIENT, _pointer)),
    ("pa_context_get_sink_input_info_list", _pointer, (_pointer, TAKE_INPUT, _pointer)),
    ("pa_context_set_subscribe_callback", None, (_pointer, TAKE_EVENT, _pointer)),
    ("pa_context_subscribe", _pointer, (_pointer, _number, _pointer, _pointer)),
    ("pa_operation_unref", None, (_pointer,)),
    ("pa_proplist_gets", _text, (_pointer, _text)),
    ("pa_stream_new", _pointer, (_pointer, _text, ctypes.POINTER(SampleSpec), _pointer)),
    ("pa_stream_set_monitor_stream", _number, (_pointer, ctypes.c_uint32)),
    (
        "pa_stream_connect_record",
        _number,
        (_pointer, _text, ctypes.POINTER(BufferAttributes), _number),
    ),
    ("pa_stream_get_state", _number, (_pointer,)),
    ("pa_stream_readable_size", _size, (_pointer,)),
    (
        "pa_stream_peek",
        _number,
        (_pointer, ctypes.POINTER(_pointer), ctypes.POINTER(_size)),
    ),
    ("pa_stream_drop", _number, (_pointer,)),
    ("pa_stream_disconnect", _number, (_pointer,)),
    ("pa_stream_unref", None, (_pointer,)),
)


@functools.cache
def load() -> Any:
    """The library with its types; None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL("libpulse.so.0")
        for name, gives, takes in _CALLS:
            function = getattr(library, name)
            function.restype, function.argtypes = gives, takes
    except (OSError, AttributeError):
        return None
    return library


class Connection:
    """Used by one thread, which turns it and closes it. `pulse` is the library."""

    def __init__(self, library: Any, name: bytes) -> None:
        self.pulse = library
        self._loop = library.pa_mainloop_new()
        api = library.pa_mainloop_get_api(self._loop)
        self.context = library.pa_context_new(api, name)
        self._is_broken = library.pa_context_connect(self.context, None, _NO_AUTOSPAWN, None) < 0

    @property
    def is_ready(self) -> bool:
        """Whether the server takes requests."""
        return not self._is_broken and self._state() == READY

    @property
    def is_over(self) -> bool:
        """The server refused, or went away."""
        return self._is_broken or self._state() >= FAILED

    def turn(self, patience_us: int) -> bool:
        """Wait for something for so long at most, and see to it; whether there was something."""
        pulse, loop = self.pulse, self._loop
        if pulse.pa_mainloop_prepare(loop, patience_us) < 0 or pulse.pa_mainloop_poll(loop) < 0:
            self._is_broken = True
            return False
        seen_to: int = pulse.pa_mainloop_dispatch(loop)
        self._is_broken = self._is_broken or seen_to < 0
        return seen_to > 0

    def start(self, operation: Any) -> bool:
        """Whether a request was made; its answer comes to its callback."""
        if operation:
            self.pulse.pa_operation_unref(operation)
        return bool(operation)

    def close(self) -> None:
        """Let go."""
        self.pulse.pa_context_disconnect(self.context)
        self.pulse.pa_context_unref(self.context)
        self.pulse.pa_mainloop_free(self._loop)

    def _state(self) -> int:
        return int(self.pulse.pa_context_get_state(self.context))
