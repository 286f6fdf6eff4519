"""The shared memory for pictures: made by the parent, opened by the child."""

from __future__ import annotations

import os

import pytest

from folkmoot.media.memory import make_memory, open_memory
from folkmoot.services.frame_slots import MEMORY_BYTES


@pytest.mark.parametrize("with_memory_files", [True, False])
def test_what_one_writes_the_other_reads(
    with_memory_files: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_memory_files:
        monkeypatch.delattr(os, "memfd_create")
    memory = make_memory()
    child = open_memory(f"fd:{os.dup(memory.handle)}")
    memory.close_handle()
    memory.view[7:10] = b"abc"
    assert bytes(child[7:10]) == b"abc"
    assert len(child) == MEMORY_BYTES


@pytest.mark.parametrize("place", ["", "fd:", "fd:x", "name:other", "file:/etc/passwd"])
def test_another_place_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match=r"memory|invalid literal"):
        open_memory(place)


def test_a_descriptor_that_is_not_open_is_refused() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        open_memory("fd:9999")
