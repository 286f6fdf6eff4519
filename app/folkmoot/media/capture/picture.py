"""From the pixels of a screen to a frame in yuv420p: whole, scaled down, or only where it changed.

Owns the scaler and the last frame. Refuses to touch a frame that was handed out: another thread may
be encoding it.
"""

from __future__ import annotations

from collections.abc import Sequence

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from folkmoot.media.capture.boxes import Rows
from folkmoot.media.devices.planes import view_plane

Pixels = NDArray[np.uint8]
"""(height, width, 4): blue, green, red, and a byte that means nothing. Rows may have padding."""
Limits = tuple[int, int]
"""The largest width and height of a picture."""

_WORTH = 0.5
"""When more than this changed, the whole is converted."""
MAX_WIDTH, MAX_HEIGHT = 3840, 2160


class Painter:
    """Makes the frames of one source."""

    def __init__(self) -> None:
        # Each keeps tables for the last sizes.
        self._scaler, self._band_scaler = VideoReformatter(), VideoReformatter()
        self._last: av.VideoFrame | None = None
        self._whole = (0, 0)

    def paint(
        self, pixels: Pixels, limits: Limits, bands: Sequence[Rows] | None = None
    ) -> av.VideoFrame:
        """`pixels`, cut to even sides and scaled down into `limits`.

        `bands` are the rows that differ from the last call; None: any may.
        """
        pixels = _even(pixels)
        size = pixels.shape[1], pixels.shape[0]
        wanted = fit(*size, limits)
        last = self._last
        if bands is not None:
            bands = [(top, min(bottom, size[1])) for top, bottom in bands if top < size[1]]
        rows = size[1] if bands is None else sum(bottom - top for top, bottom in bands)
        if last is None or wanted != size or self._whole != size or rows > _WORTH * size[1]:
            frame = _convert(self._scaler, pixels, *wanted)
        else:
            frame = _copy(last)
            for top, bottom in bands or ():
                band = _convert(self._band_scaler, pixels[top:bottom], size[0], bottom - top)
                _put(band, frame, top)
        self._last, self._whole = frame, wanted
        return frame


def _convert(scaler: VideoReformatter, pixels: Pixels, width: int, height: int) -> av.VideoFrame:
    return scaler.reformat(
        av.VideoFrame.from_numpy_buffer(pixels, format="bgra"),
        width=width,
        height=height,
        format="yuv420p",
        interpolation=Interpolation.AREA,
        threads=1,
    )


def fit(width: int, height: int, limits: Limits) -> tuple[int, int]:
    """The size of a picture in `limits`: its own, or scaled down in its shape; sides are even."""
    across, down = min(limits[0], MAX_WIDTH), min(limits[1], MAX_HEIGHT)
    scale = min(1.0, across / width, down / height)
    return max(2, int(width * scale) & ~1), max(2, int(height * scale) & ~1)


def shrink(frame: av.VideoFrame, limits: Limits) -> av.VideoFrame:
    """A frame as yuv420p within `limits`; the same one where it is that already."""
    width, height = fit(frame.width, frame.height, limits)
    if (frame.width, frame.height, frame.format.name) == (width, height, "yuv420p"):
        return frame
    return frame.reformat(
        width=width, height=height, format="yuv420p", interpolation=Interpolation.AREA, threads=1
    )


def _even(pixels: Pixels) -> Pixels:
    """Cut to even sides; a line of one pixel is doubled."""
    height, width = pixels.shape[:2]
    if height < 2 or width < 2:
        pixels = np.ascontiguousarray(np.repeat(np.repeat(pixels, 2, axis=0), 2, axis=1))
        height, width = pixels.shape[:2]
    return pixels[: height & ~1, : width & ~1]


def _copy(frame: av.VideoFrame) -> av.VideoFrame:
    copy = av.VideoFrame(frame.width, frame.height, "yuv420p")
    copy.colorspace, copy.color_range = frame.colorspace, frame.color_range
    for index in range(3):
        np.copyto(view_plane(copy, index), view_plane(frame, index))
    return copy


def _put(band: av.VideoFrame, frame: av.VideoFrame, top: int) -> None:
    for index in range(3):
        rows = view_plane(band, index)
        first = top if index == 0 else top // 2
        view_plane(frame, index)[first : first + len(rows)] = rows
