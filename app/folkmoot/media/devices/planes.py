"""Planes of PyAV frames as numpy arrays that look into the frame. Refuses nothing."""

from __future__ import annotations

from typing import Any, cast

import av
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


def view_plane(frame: av.VideoFrame, index: int) -> Plane:
    """Plane `index` of an 8-bit planar frame: (height, width), without the padding of its rows."""
    plane = frame.planes[index]
    return view_rows(frame, index)[: plane.height, : plane.width]


def view_rows(frame: av.VideoFrame, index: int) -> Plane:
    """The rows of a plane in bytes, with their padding: (lines, stride)."""
    plane = frame.planes[index]
    data: Plane = np.frombuffer(cast(Any, plane), np.uint8)
    return data.reshape(-1, plane.line_size)


def copy_frame(frame: av.VideoFrame) -> av.VideoFrame:
    """A picture of its own with the same planes."""
    made = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for index in range(len(frame.planes)):
        np.copyto(view_plane(made, index), view_plane(frame, index))
    return made
