"""Tiles: the right colours in the right place, cut or whole, and nothing out of bounds."""

from __future__ import annotations

import mmap
import threading

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from folkmoot.domain.errors import PeerError
from folkmoot.media.devices.tiles import MOST_THUMBNAILS, TileWriter, _scaled_size
from folkmoot.services.frame_slots import MEMORY_BYTES, SLOTS, is_whole, newest
from folkmoot.services.media_port import SCREEN, SOURCE, WHOLE, TilePlan

PEER = b"p" * 32
RED, GREEN, BLUE = (0, 0, 255), (0, 255, 0), (255, 0, 0)
BLACK = (0, 0, 0)


@pytest.fixture
def memory() -> memoryview:
    return memoryview(mmap.mmap(-1, MEMORY_BYTES))


def _bars(width: int, height: int, *colours: tuple[int, int, int]) -> av.VideoFrame:
    """Upright bars of these colours (blue, green, red) in yuv420p."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for index, colour in enumerate(colours):
        start, end = (width * at // len(colours) for at in (index, index + 1))
        pixels[:, start:end] = colour
    return av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format="yuv420p")


def _see(memory: memoryview, slot: int = 0) -> NDArray[np.uint8]:
    picture = newest(memory, slot)
    assert picture is not None
    pixels = np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 4)
    assert is_whole(memory, slot, picture)
    return pixels


def _is(pixels: NDArray[np.uint8], colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixels[..., :3].astype(int) - colour).max() <= 6)


def test_a_picture_fills_its_tile_in_its_colours(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    tiles.show((TilePlan(3, PEER, 300, 168, 77),))
    tiles.picture(PEER, _bars(1200, 672, RED, GREEN, BLUE), 123_456)
    seen = _see(memory, 3)
    assert seen.shape == (168, 300, 4)
    for index, colour in enumerate((RED, GREEN, BLUE)):
        assert _is(seen[:, index * 100 + 4 : index * 100 + 96], colour)
    picture = newest(memory, 3)
    assert picture is not None
    assert (picture.captured_ns, picture.tag) == (123_456, 77)


def test_a_wide_picture_is_cut_at_its_sides(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    tiles.show((TilePlan(0, PEER, 200, 200, 1),))
    tiles.picture(PEER, _bars(1200, 400, RED, GREEN, BLUE), 1)
    assert _is(_see(memory)[:, 4:196], GREEN)


def test_fit_shows_all_of_it_between_black_bars(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    plan = TilePlan(0, PEER, 300, 200, 1, fit=True)
    tiles.show((plan,))
    tiles.picture(PEER, _bars(640, 480, GREEN), 1)  # leaves something to be blackened
    tiles.picture(PEER, _bars(1200, 400, RED, GREEN, BLUE), 2)
    seen = _see(memory)
    assert _is(seen[:50], BLACK)
    assert _is(seen[150:], BLACK)
    assert _is(seen[54:146, 4:96], RED)
    assert _is(seen[54:146, 204:296], BLUE)


def test_a_mirrored_tile_is_mirrored(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    tiles.show((TilePlan(0, b"", 300, 100, 1, mirrored=True), TilePlan(1, b"", 300, 100, 1)))
    tiles.picture(b"", _bars(600, 200, RED, GREEN, BLUE), 1)
    assert np.array_equal(_see(memory, 0), _see(memory, 1)[:, ::-1])
    assert _is(_see(memory, 0)[:, 4:96], BLUE)


@pytest.mark.parametrize("size", [(2, 4096), (4096, 2), (16, 16), (1922, 1082), (333, 201)])
@pytest.mark.parametrize("fit", [False, True])
def test_odd_sizes_are_shown(memory: memoryview, size: tuple[int, int], *, fit: bool) -> None:
    tiles = TileWriter(memory)
    tiles.show((TilePlan(0, PEER, 427, 239, 5, fit=fit),))
    tiles.picture(PEER, av.VideoFrame(*size, "yuv420p"), 9)
    assert _see(memory).shape == (239, 427, 4)


@pytest.mark.parametrize("tile", [(426, 240), (427, 239), (425, 241), (101, 99), (2, 2), (3, 3)])
@pytest.mark.parametrize("fit", [True, False])
def test_scaled_sizes_are_even_and_cover_or_fit(tile: tuple[int, int], *, fit: bool) -> None:
    plan = TilePlan(0, PEER, *tile, 1, fit=fit)
    for size in ((1280, 720), (720, 1280), (641, 359)):
        to = _scaled_size(*size, plan)
        assert to[0] % 2 == to[1] % 2 == 0
        for made, wanted in zip(to, tile, strict=True):
            assert 2 <= made <= wanted if fit else made >= wanted
        distortion = (to[0] / to[1]) / (size[0] / size[1])
        assert min(tile) < 50 or abs(distortion - 1) < 0.02


def test_a_picture_of_the_tiles_own_size_stays_as_it_is() -> None:
    assert _scaled_size(427, 239, TilePlan(0, PEER, 427, 239, 1)) == (427, 239)


def test_only_what_is_shown_is_wanted(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    tiles.show((TilePlan(0, PEER, 100, 100, 1), TilePlan(1, b"", 100, 100, 1)))
    assert tiles.wants(PEER)
    assert tiles.wants(b"")
    assert not tiles.wants(PEER, SCREEN)
    tiles.show((TilePlan(1, b"", 100, 100, 1),))
    assert tiles.wants(b"")
    assert not tiles.wants(PEER)
    tiles.picture(PEER, _bars(64, 64, RED), 1)
    assert newest(memory, 0) is None


@pytest.mark.parametrize(
    "plan",
    [
        TilePlan(SLOTS, PEER, 100, 100, 1),
        TilePlan(0, PEER, 0, 100, 1),
        TilePlan(0, PEER, 1921, 100, 1),
        TilePlan(0, PEER, 100, 1201, 1),
        TilePlan(-1, PEER, 100, 100, 1),
        TilePlan(5, PEER, 100, 100, 1),
        TilePlan(0, PEER, 100, 100, 1, kind="else"),
        TilePlan(0, PEER, 100, 100, 1, zoom=(100, 0, 100, WHOLE)),
        TilePlan(0, PEER, 100, 100, 1, zoom=(0, WHOLE, WHOLE, 0)),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_whole(memory: memoryview, plan: TilePlan) -> None:
    tiles = TileWriter(memory)
    tiles.show((TilePlan(7, b"", 100, 100, 1),))
    with pytest.raises(PeerError) as caught:
        tiles.show((TilePlan(5, PEER, 100, 100, 1), plan))
    assert caught.value.code == "bad_message"
    assert tiles.wants(b"")
    assert not tiles.wants(PEER)


def test_a_giant_picture_is_dropped(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    tiles.show((TilePlan(0, PEER, 100, 100, 1),))
    tiles.picture(PEER, av.VideoFrame(8192, 64, "yuv420p"), 1)
    assert newest(memory, 0) is None


def test_plans_change_while_pictures_come_from_two_threads(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    frame = _bars(320, 180, RED)
    plans = [TilePlan(0, PEER, 160 + 2 * index, 90, index) for index in range(40)]
    tiles.show((plans[0],))
    stop = threading.Event()

    def feed() -> None:
        while not stop.is_set():
            tiles.picture(PEER, frame, 1)

    feeders = [threading.Thread(target=feed) for _ in range(2)]
    for feeder in feeders:
        feeder.start()
    for plan in plans:
        tiles.show((plan,))
    stop.set()
    for feeder in feeders:
        feeder.join()
    tiles.picture(PEER, frame, 2)
    picture = newest(memory, 0)
    assert picture is not None
    assert (picture.width, picture.tag) == (160 + 2 * 39, 39)
    assert _is(_see(memory), RED)


def test_a_screen_and_a_camera_of_one_peer_have_their_own_tiles(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    tiles.show((TilePlan(0, PEER, 64, 64, 1), TilePlan(1, PEER, 64, 64, 1, kind=SCREEN)))
    tiles.picture(PEER, _bars(64, 64, RED), 1)
    tiles.picture(PEER, _bars(64, 64, BLUE), 1, kind=SCREEN)
    assert _is(_see(memory, 0), RED)
    assert _is(_see(memory, 1), BLUE)


def test_zoom_shows_its_part_to_the_pixel(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    half, third = WHOLE // 2, WHOLE * 2 // 3
    plan = TilePlan(0, PEER, 200, 200, 1, kind=SCREEN, zoom=(WHOLE // 3, half, third, WHOLE))
    tiles.show((plan,))
    pixels = np.zeros((400, 600, 3), np.uint8)
    pixels[200:, 200:400] = GREEN
    pixels[200:202, 200:202] = RED  # a corner of four pixels
    frame = av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format="yuv420p")
    tiles.picture(PEER, frame, 1, kind=SCREEN)
    seen = _see(memory)
    assert _is(seen[:2, :2], RED)
    assert _is(seen[3:, 3:], GREEN)


@pytest.mark.parametrize("size", [(64, 64), (63, 65), (2, 2), (3, 3)])
@pytest.mark.parametrize(
    "zoom", [(0, 0, 1, 1), (WHOLE - 1, WHOLE - 1, WHOLE, WHOLE), (30_000, 1, 30_001, 2)]
)
def test_the_smallest_zoom_is_shown(
    memory: memoryview, size: tuple[int, int], zoom: tuple[int, int, int, int]
) -> None:
    tiles = TileWriter(memory)
    tiles.show((TilePlan(0, PEER, 64, 48, 1, kind=SCREEN, zoom=zoom),))
    tiles.picture(PEER, _bars(*size, GREEN), 1, kind=SCREEN)
    assert _is(_see(memory), GREEN)


def test_a_tile_that_comes_later_shows_what_stands_still(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    tiles.picture(PEER, _bars(64, 64, RED), 1, kind=SCREEN)
    tiles.show((TilePlan(0, PEER, 64, 64, 1, kind=SCREEN),))
    tiles.redraw()
    assert _is(_see(memory), RED)
    tiles.forget(PEER, SCREEN)
    tiles.show((TilePlan(1, PEER, 64, 64, 1, kind=SCREEN),))
    tiles.redraw()
    assert newest(memory, 1) is None


def test_a_kept_picture_never_covers_a_newer_one(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    tiles.show((TilePlan(0, PEER, 64, 64, 1, kind=SCREEN),))
    tiles.picture(PEER, _bars(64, 64, RED), 1, kind=SCREEN)
    tiles.picture(PEER, _bars(64, 64, BLUE), 2, kind=SCREEN)
    before = newest(memory, 0)
    tiles.redraw()
    after = newest(memory, 0)
    assert before is not None
    assert after is not None
    assert before.sequence == after.sequence


def test_thumbnails_are_told_apart_by_their_source(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    plans = [TilePlan(n, b"", 64, 64, 1, kind=SOURCE, source_id=f"window:{n}") for n in (0, 1)]
    tiles.show(tuple(plans))
    for number, colour in enumerate((RED, BLUE)):
        tiles.picture(b"", _bars(64, 64, colour), 1, kind=SOURCE, source_id=f"window:{number}")
    assert _is(_see(memory, 0), RED)
    assert _is(_see(memory, 1), BLUE)


def test_a_thumbnail_that_came_before_its_tile_is_shown_until_it_is_forgotten(
    memory: memoryview,
) -> None:
    tiles = TileWriter(memory)
    tiles.picture(b"", _bars(64, 64, RED), 1, kind=SOURCE, source_id="window:1")
    tiles.show((TilePlan(0, b"", 64, 64, 1, kind=SOURCE, source_id="window:1"),))
    tiles.redraw()
    assert _is(_see(memory, 0), RED)
    tiles.forget(b"", SOURCE)
    tiles.show((TilePlan(1, b"", 64, 64, 2, kind=SOURCE, source_id="window:1"),))
    tiles.redraw()
    assert newest(memory, 1) is None


def test_thumbnails_are_kept_in_a_bounded_number(memory: memoryview) -> None:
    tiles = TileWriter(memory)
    for number in range(MOST_THUMBNAILS + 1):
        tiles.picture(b"", _bars(16, 16, RED), 1, kind=SOURCE, source_id=str(number))
    last = (MOST_THUMBNAILS - 1, MOST_THUMBNAILS)
    tiles.show(
        tuple(
            TilePlan(at, b"", 16, 16, 1, kind=SOURCE, source_id=str(number))
            for at, number in enumerate(last)
        )
    )
    tiles.redraw()
    assert _is(_see(memory, 0), RED)
    assert newest(memory, 1) is None
