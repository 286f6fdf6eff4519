"""What the media process shows of ourselves."""

from __future__ import annotations

import asyncio
import mmap
from collections.abc import Callable, Iterator
from typing import Any

import av
import pytest

from folkmoot.media import session as session_module
from folkmoot.media.session import Session
from folkmoot.services.frame_slots import MEMORY_BYTES, newest
from folkmoot.services.media_port import (
    SELF,
    VERSION,
    Begin,
    PictureChanged,
    Report,
    SetVideo,
    ShowTiles,
    TilePlan,
    VideoPlan,
)

ON = VideoPlan(source="test", open=True)


class StillCamera:
    """A camera that takes a picture when the test says so."""

    frame: Callable[[av.VideoFrame, int], None]

    def __init__(self, *, frame: Callable[[av.VideoFrame, int], None], **_: Any) -> None:
        type(self).frame = staticmethod(frame)

    def set_plan(self, plan: VideoPlan) -> None:
        pass

    def set_limits(self, *limits: int) -> None:
        pass


@pytest.fixture
def memory() -> Iterator[memoryview]:
    with mmap.mmap(-1, MEMORY_BYTES) as block:
        view = memoryview(block)
        yield view
        view.release()


@pytest.mark.parametrize("late", [False, True])
async def test_a_picture_that_comes_after_the_camera_was_closed_is_shown_nowhere(
    memory: memoryview, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    monkeypatch.setattr(session_module, "VideoInput", StillCamera)
    told: list[Report] = []
    made = Session(Begin(VERSION, devices=False), told.append, memory)
    made.take(ShowTiles((TilePlan(0, SELF, 64, 36, tag=1),)))
    made.take(SetVideo(ON))
    if late:
        made.take(SetVideo(VideoPlan()))
    StillCamera.frame(av.VideoFrame(64, 36, "yuv420p"), 5)
    await _turn()
    assert (newest(memory, 0) is None) is late
    sizes = [(r.width, r.height) for r in told if isinstance(r, PictureChanged)]
    assert sizes == ([] if late else [(64, 36)])


async def _turn() -> None:
    """Let what was asked of the loop happen."""
    for _ in range(3):
        await asyncio.sleep(0)
