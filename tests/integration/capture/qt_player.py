"""Shares through Qt's adapter in this process, and writes what it gets, a line of JSON each."""

from __future__ import annotations

import json
import sys
import threading

import av
import numpy as np

from folkmoot.media.capture.input import ShareInput
from folkmoot.media.capture.qt_source import QtBackend
from folkmoot.media.devices.qt import leave_qt, run_qt
from folkmoot.services.media_port import ShareChanged, SharePlan, SourcesListed

_STILL_S = 0.7


class Player:
    """One share, from its begin to the end of the process."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._frames = 0
        self._still = threading.Timer(_STILL_S, self._end)
        self._input = ShareInput(
            frame=self._frame,
            changed=self._changed,
            sources=self._listed,
            thumbnail=self._thumbnail,
            use_devices=True,
            backend=QtBackend(portal=words[0] == "portal"),
        )

    def begin(self) -> None:
        """In the Qt thread."""
        kind = self._words[0]
        if kind in ("list", "portal"):
            self._input.list_sources(True)
        elif kind == "region":
            left, top, width, height = (int(word) for word in self._words[1:])
            self._input.set_plan(SharePlan(source=kind, region=(left, top, width, height)))
        else:
            self._input.set_plan(SharePlan(source=kind, source_id=self._words[1]))

    def _frame(self, frame: av.VideoFrame, _capture_ns: int) -> None:
        self._frames += 1
        if self._frames == 1:
            pixels = frame.to_ndarray(format="rgb24").astype(int)
            green = int((np.abs(pixels - (0, 255, 0)).max(axis=2) < 24).sum())
            _say("frame", frame.width, frame.height, green)
            self._still.start()

    def _end(self) -> None:
        _say("still", self._frames - 1)
        self._leave()

    def _changed(self, change: ShareChanged) -> None:
        _say("changed", change.state, change.code)
        if change.state == "ended":
            self._leave()

    def _listed(self, listed: SourcesListed) -> None:
        _say("listed", listed.rows, listed.platform, listed.regions)
        if listed.platform:
            self._leave()

    def _thumbnail(self, name: str, frame: av.VideoFrame, _capture_ns: int) -> None:
        _say("thumbnail", name, frame.width, frame.height)
        self._leave()

    def _leave(self) -> None:
        def close() -> None:
            self._input.close()
            leave_qt()

        threading.Thread(target=close, daemon=True).start()


def _say(*words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run_qt(Player(sys.argv[1:]).begin)
