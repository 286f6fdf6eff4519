"""Makes and opens the shared memory of `services.frame_slots`.

The parent makes it without a name that others could open: a memory file on Linux, an unlinked
temporary file on other Unix systems, both inherited by number; on Windows a named mapping with a
random name. Refuses to touch its pages: untouched ones cost nothing.
"""

from __future__ import annotations

import mmap
import os
import secrets
import sys
import tempfile
from dataclasses import dataclass

from folkmoot.services.frame_slots import MEMORY_BYTES

_ON_WINDOWS = sys.platform == "win32"


@dataclass(frozen=True, slots=True)
class SharedMemory:
    """`view` is the memory; `place` is the argument for the child; `handle` is inherited, or -1."""

    view: memoryview
    place: str
    handle: int

    def close_handle(self) -> None:
        """Close the parent's descriptor once the child has its own; the mapping stays."""
        if self.handle >= 0:
            os.close(self.handle)


def make_memory() -> SharedMemory:
    """Reserve the memory. Blocks for a moment; raises `OSError`."""
    if _ON_WINDOWS:
        name = f"folkmoot-{secrets.token_hex(16)}"
        return SharedMemory(memoryview(_map_named(name)), f"name:{name}", -1)
    handle = _make_file()
    try:
        os.ftruncate(handle, MEMORY_BYTES)
        view = memoryview(mmap.mmap(handle, MEMORY_BYTES))
    except OSError:
        os.close(handle)
        raise
    return SharedMemory(view, f"fd:{handle}", handle)


def open_memory(place: str) -> memoryview:
    """The memory that the parent named by `place`. Raises `OSError` or `ValueError`."""
    kind, _, value = place.partition(":")
    if kind == "fd":
        handle = int(value)
        view = memoryview(mmap.mmap(handle, MEMORY_BYTES))
        os.close(handle)
        return view
    if kind == "name" and value.startswith("folkmoot-"):
        return memoryview(_map_named(value))
    raise ValueError(f"“{place[:40]}” is not a place of shared memory")


def _make_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("folkmoot-pictures", os.MFD_CLOEXEC)
    handle, path = tempfile.mkstemp(prefix="folkmoot-")
    os.unlink(path)
    return handle


def _map_named(name: str) -> mmap.mmap:
    if sys.platform == "win32":
        return mmap.mmap(-1, MEMORY_BYTES, tagname=name)
    raise ValueError("named shared memory is only for Windows")
