"""Slots of pictures: what is new is seen at a glance, and only when it is whole."""

from __future__ import annotations

import mmap

from folkmoot.services.frame_slots import MEMORY_BYTES, SlotWriter, has_newer, newest


def test_a_picture_is_newer_once_it_is_whole() -> None:
    memory = memoryview(mmap.mmap(-1, MEMORY_BYTES))
    writer = SlotWriter(memory, 3)
    assert not has_newer(memory, 3, 0)
    for _ in range(5):
        before = newest(memory, 3)
        seen = before.sequence if before is not None else 0
        writer.begin(4, 4)
        assert not has_newer(memory, 3, seen), "it is being written"
        writer.end(4, 4, 1)
        assert has_newer(memory, 3, seen)
        picture = newest(memory, 3)
        assert picture is not None
        assert not has_newer(memory, 3, picture.sequence)
    assert not has_newer(memory, 2, 0)
