"""Sharing what needs no screen: the generated page and files; and rate, pause and end."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from folkmoot.media.capture.input import ShareInput
from folkmoot.media.capture.page import CARET, Page, draw_page
from folkmoot.media.devices.pattern import Pattern
from folkmoot.media.devices.planes import view_plane
from folkmoot.media.devices.stamp import read_stamp
from folkmoot.services.media_port import ShareChanged, SharePlan, SourcesListed

WAIT_S = 30.0


class Seen:
    """What a share gave, with waiting."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.frames: list[tuple[av.VideoFrame, int]] = []
        self.changes: list[ShareChanged] = []
        self.sources: list[SourcesListed] = []
        self.threads: set[str] = set()
        self.input = ShareInput(
            frame=self._take,
            changed=lambda change: self._add(self.changes, change),
            sources=lambda listed: self._add(self.sources, listed),
            thumbnail=lambda *_: None,
            use_devices=False,
        )

    def _take(self, frame: av.VideoFrame, capture_ns: int) -> None:
        self.threads.add(threading.current_thread().name)
        self._add(self.frames, (frame, capture_ns))

    def _add(self, to: list, what: object) -> None:  # type: ignore[type-arg]
        with self._changed:
            to.append(what)
            self._changed.notify_all()

    def wait(self, until: Callable[[], bool], seconds: float = WAIT_S) -> bool:
        """Wait until what was given makes it true."""
        with self._changed:
            return self._changed.wait_for(until, seconds)

    def luma(self, number: int) -> NDArray[np.uint8]:
        """Of one of the frames."""
        return view_plane(self.frames[number][0], 0)


@pytest.fixture
def seen() -> Iterator[Seen]:
    seen = Seen()
    yield seen
    seen.input.close()


def test_the_page_scrolls_by_the_given_pixels_with_each_frame(seen: Seen) -> None:
    seen.input.set_plan(SharePlan(source="test", source_id="scroll=7"))
    assert seen.wait(lambda: len(seen.frames) >= 6)
    page = draw_page()[0]
    for number in range(6):
        assert np.array_equal(seen.luma(number), page[7 * number : 7 * number + 1080])
    assert seen.changes == [ShareChanged("sharing")]
    assert seen.threads == {"share"}


def test_the_rate_stays_under_the_plan_and_under_the_limit(seen: Seen) -> None:
    seen.input.set_limits(640, 360, 20)
    began = time.monotonic()
    seen.input.set_plan(SharePlan(source="test", source_id="scroll=7", fps=10))
    assert seen.wait(lambda: len(seen.frames) >= 32)
    times = np.array([at for _, at in seen.frames[:32]]) / 1e9
    assert times[31] - began > 3.0  # none is early, but one after a late one comes sooner
    assert np.median(np.diff(times)) > 0.085
    frame = seen.frames[0][0]
    assert (frame.width, frame.height, frame.format.name) == (640, 360, "yuv420p")


def test_what_stands_still_is_handed_out_once_and_again_when_asked(seen: Seen) -> None:
    seen.input.set_plan(SharePlan(source="test", source_id="blank"))
    assert seen.wait(lambda: len(seen.frames) == 1)
    assert not seen.wait(lambda: len(seen.frames) > 1, 0.5)
    seen.input.again()
    assert seen.wait(lambda: len(seen.frames) == 2)
    seen.input.set_limits(640, 360, 30)
    assert seen.wait(lambda: len(seen.frames) == 3)
    assert seen.frames[2][0].width == 640
    assert not seen.wait(lambda: len(seen.frames) > 3, 0.3)


def test_nothing_is_handed_out_in_a_pause_and_the_picture_comes_after_it(seen: Seen) -> None:
    seen.input.set_plan(SharePlan(source="test", source_id="scroll=7"))
    assert seen.wait(lambda: len(seen.frames) >= 2)
    seen.input.set_plan(SharePlan(source="test", source_id="scroll=7", paused=True))
    assert seen.wait(lambda: seen.changes[-1].state == "paused")
    count = len(seen.frames)
    assert not seen.wait(lambda: len(seen.frames) > count, 0.5)
    seen.input.set_plan(SharePlan(source="test", source_id="scroll=7"))
    assert seen.wait(lambda: len(seen.frames) > count)
    assert [change.state for change in seen.changes] == ["sharing", "paused", "sharing"]
    assert np.array_equal(seen.luma(count), draw_page()[0][7 * count : 7 * count + 1080])


def test_a_share_that_is_ended_says_so_and_another_can_begin(seen: Seen) -> None:
    seen.input.set_plan(SharePlan(source="test", source_id="blank"))
    assert seen.wait(lambda: len(seen.frames) == 1)
    seen.input.set_plan(SharePlan())
    assert seen.wait(lambda: len(seen.changes) == 2)
    seen.input.set_plan(SharePlan(source="test", source_id="still"))
    assert seen.wait(lambda: len(seen.frames) >= 2)  # its caret blinks
    assert [change.state for change in seen.changes] == ["sharing", "ended", "sharing"]
    assert seen.changes[1].code == ""


def test_switching_to_another_source_does_not_end_the_share(seen: Seen) -> None:
    seen.input.set_plan(SharePlan(source="test", source_id="blank"))
    assert seen.wait(lambda: len(seen.frames) == 1)
    seen.input.set_plan(SharePlan(source="test", source_id="scroll=40"))
    assert seen.wait(lambda: len(seen.frames) >= 4)
    assert [change.state for change in seen.changes] == ["sharing", "sharing"]


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (SharePlan(source="test", source_id="nonsense"), "none"),
        (SharePlan(source="test", source_id="scroll=0"), "none"),
        (SharePlan(source="file", source_id="/nowhere.webm"), "failed"),
        (SharePlan(source="screen"), "none"),
        (SharePlan(source="window", source_id="window:1"), "none"),
    ],
)
def test_a_source_that_is_not_there_ends_the_share_in_words(
    seen: Seen, plan: SharePlan, code: str
) -> None:
    seen.input.set_plan(plan)
    assert seen.wait(lambda: len(seen.changes) == 1)
    assert (seen.changes[0].state, seen.changes[0].code) == ("ended", code)
    assert seen.changes[0].words
    assert seen.frames == []


def test_a_share_that_ended_by_itself_can_be_begun_again(seen: Seen, tmp_path: Path) -> None:
    plan = SharePlan(source="file", source_id=str(tmp_path / "film.webm"))
    seen.input.set_plan(plan)
    assert seen.wait(lambda: len(seen.changes) == 1)
    seen.input.set_plan(plan)
    assert seen.wait(lambda: len(seen.changes) == 2)
    seen.input.set_plan(SharePlan())
    assert not seen.wait(lambda: len(seen.changes) > 2, 0.2)
    assert [change.code for change in seen.changes] == ["failed", "failed"]


def test_without_devices_nothing_can_be_chosen(seen: Seen) -> None:
    seen.input.list_sources(True)
    assert seen.wait(lambda: seen.sources == [SourcesListed(())])


def test_a_file_is_played_again_and_again(seen: Seen, tmp_path: Path) -> None:
    path = tmp_path / "film.webm"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.options = {"deadline": "realtime", "cpu-used": "8"}
        pattern = Pattern(640, 360)
        for number in range(5):
            frame = pattern.draw(number, number)
            frame.pts = None
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    seen.input.set_plan(SharePlan(source="file", source_id=str(path)))
    assert seen.wait(lambda: len(seen.frames) >= 12)
    stamps = [read_stamp(frame) for frame, _ in seen.frames]
    numbers = [stamp.number for stamp in stamps if stamp is not None]
    assert numbers[0] == 0
    assert max(numbers) == 4
    assert sum(one > other for one, other in itertools.pairwise(numbers)) >= 1


def test_limits_out_of_bounds_are_refused(seen: Seen) -> None:
    with pytest.raises(ValueError, match="out of bounds"):
        seen.input.set_limits(8, 1080, 30)


def test_the_caret_of_the_still_page_blinks_and_nothing_else_changes() -> None:
    page = Page("still")
    assert page.moved(100.0) > 0
    first = page.take((1920, 1080), whole=False)
    assert page.moved(100.3) == 0
    assert page.moved(100.6) > 0
    second = page.take((1920, 1080), whole=False)
    assert first is not None
    assert second is not None
    left, top, width, height = CARET
    differs = view_plane(first, 0) != view_plane(second, 0)
    assert differs[top : top + height, left : left + width].all()
    assert differs.sum() == width * height


def test_the_page_looks_like_text() -> None:
    luma = draw_page()[0]
    ink = float((luma < 128).mean())
    assert 0.03 < ink < 0.2
    assert np.array_equal(luma[:1080], luma[-1080:])
