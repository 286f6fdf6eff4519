"""One picture of many: places, names, and only what changed."""

from __future__ import annotations

from collections.abc import Callable

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from folkmoot.media.devices.planes import view_plane
from folkmoot.media.recording.composer import Composer
from folkmoot.media.recording.pictures import Key, Picture
from folkmoot.media.recording.words import GROUND, Words
from folkmoot.services.media_port import CAMERA, RecordPlace

ANN, BEN = b"a" * 32, b"b" * 32
WIDTH, HEIGHT = 320, 180


class Letters(Words):
    """Words without letters: a white box of a size that tells the words."""

    def find(self, words: str, pixels: int, width: int) -> NDArray[np.uint8] | None:
        key = words, pixels
        if not words:
            return None
        return self.made.setdefault(key, np.full((16, 40), 235, np.uint8))

    def __init__(self) -> None:
        super().__init__(lambda _: False)
        self.made: dict[tuple[str, int], NDArray[np.uint8]] = {}


class Board:
    """A composer and what it is to show."""

    def __init__(self, *places: RecordPlace) -> None:
        self.shown: dict[Key, Picture] = {}
        self.composer = Composer(WIDTH, HEIGHT, self.shown.get, Letters())
        self.composer.set_places(places)
        self._number = 0

    def show(self, peer: bytes, width: int, height: int, *luma: int) -> None:
        """Upright bars of these brightnesses."""
        frame = av.VideoFrame(width, height, "yuv420p")
        for index in (1, 2):
            view_plane(frame, index)[:] = 128
        for at, value in enumerate(luma):
            begin, end = (width * each // len(luma) for each in (at, at + 1))
            view_plane(frame, 0)[:, begin:end] = value
        self._number += 1
        self.shown[peer, CAMERA] = Picture(frame, 0, self._number)

    @property
    def luma(self) -> NDArray[np.uint8]:
        return view_plane(self.composer.frame, 0)


def _place(
    peer: bytes,
    left: int,
    top: int,
    width: int,
    height: int,
    name: str = "",
    *,
    fit: bool = False,
) -> RecordPlace:
    return RecordPlace(peer, CAMERA, left, top, width, height, name, fit)


def test_each_person_stands_in_their_place() -> None:
    board = Board(_place(ANN, 0, 0, 160, 90), _place(BEN, 160, 90, 160, 90))
    board.show(ANN, 640, 360, 100)
    board.show(BEN, 1280, 720, 200)
    board.composer.draw()
    assert np.abs(board.luma[:90, :160].astype(int) - 100).max() <= 2
    assert np.abs(board.luma[90:, 160:].astype(int) - 200).max() <= 2
    assert (board.luma[:90, 160:] == 16).all()


def test_a_picture_of_another_shape_is_cut_to_fill_its_place() -> None:
    board = Board(_place(ANN, 0, 0, 90, 90))
    board.show(ANN, 640, 360, 50, 150, 150, 50)
    board.composer.draw()
    assert abs(int(board.luma[45, 45]) - 150) <= 2
    assert abs(int(board.luma[45, 1]) - 50) <= 2


def test_a_picture_that_is_to_be_seen_whole_has_black_beside_it() -> None:
    board = Board(_place(ANN, 0, 0, 320, 90, fit=True))
    board.show(ANN, 640, 360, 100)
    board.composer.draw()
    assert (board.luma[:90, :78] == 16).all()
    assert np.abs(board.luma[:90, 84:236].astype(int) - 100).max() <= 2


def test_what_did_not_change_is_not_drawn_again() -> None:
    board = Board(_place(ANN, 0, 0, 160, 90), _place(BEN, 160, 0, 160, 90))
    board.show(ANN, 640, 360, 100)
    assert board.composer.draw()
    assert not board.composer.draw()
    board.show(BEN, 640, 360, 60)
    board.luma[:90, :160] = 7
    assert board.composer.draw()
    assert (board.luma[:90, :160] == 7).all()


def test_a_place_above_another_stays_above_it() -> None:
    board = Board(_place(ANN, 0, 0, 320, 180), _place(BEN, 200, 100, 80, 60))
    board.show(BEN, 640, 360, 200)
    board.show(ANN, 640, 360, 100)
    board.composer.draw()
    board.show(ANN, 640, 360, 120)
    board.composer.draw()
    assert abs(int(board.luma[130, 240]) - 200) <= 2
    assert abs(int(board.luma[20, 20]) - 120) <= 2


def test_a_name_stands_at_the_lower_left_and_in_the_middle_without_a_picture() -> None:
    board = Board(_place(ANN, 0, 0, 320, 180, name="Ann"))
    board.composer.draw()
    assert (board.luma[82:98, 140:180] == 235).all()
    board.show(ANN, 640, 360, 100)
    board.composer.draw()
    assert (board.luma[164:180, :40] == 235).all()
    assert np.abs(board.luma[:160].astype(int) - 100).max() <= 2


@pytest.mark.parametrize(
    "box", [(0, 0, 0, 0), (10_000, 10, 50, 50), (0, 0, 2**31 - 1, 2**31 - 1), (319, 179, 9, 9)]
)
def test_places_out_of_bounds_are_cut_or_left_out(box: tuple[int, int, int, int]) -> None:
    board = Board(_place(ANN, *box, name="Ann"))
    board.show(ANN, 640, 360, 100)
    assert board.composer.draw()


@pytest.mark.parametrize("size", [(2, 2), (2, 4096), (4096, 2), (3, 5), (17, 33)])
def test_pictures_of_odd_sizes_are_shown(size: tuple[int, int]) -> None:
    board = Board(_place(ANN, 0, 0, 160, 90))
    board.show(ANN, *size, 100)
    board.composer.draw()
    assert np.abs(board.luma[:90, :160].astype(int) - 100).max() <= 6


def test_a_picture_that_changes_its_size_still_fills_its_place() -> None:
    board = Board(_place(ANN, 0, 0, 160, 90))
    for width, height in ((640, 360), (320, 180), (1280, 720), (480, 640)):
        board.show(ANN, width, height, 100)
        board.composer.draw()
        assert np.abs(board.luma[:90, :160].astype(int) - 100).max() <= 2


def test_words_have_letters_where_qt_has_them(qapp: object) -> None:
    calls: list[Callable[[], object]] = []

    def call(fn: Callable[[], object]) -> bool:
        calls.append(fn)
        return True

    words = Words(call)
    assert words.find("Ann Example", 20, 200) is None
    calls[0]()
    drawn = words.find("Ann Example", 20, 200)
    assert drawn is not None
    assert drawn.shape[1] <= 200
    assert not (drawn.shape[0] | drawn.shape[1]) & 1
    assert drawn.max() > 200
    assert (drawn == GROUND).mean() > 0.3
    assert len(calls) == 1
