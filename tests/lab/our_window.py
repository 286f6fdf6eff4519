"""Our end of a call with tiles, as a process: the window's part of it and the media process below.

`python -m lab.our_window JSON` obeys the orders of `lab.stock_peer`. The window's own
`ui.call.pictures` takes the pictures from the shared memory; a tile paints each and notes when that
was done, with the stamp read from what was painted. The loop that speaks with the media process
has a thread of its own, as the node has.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from folkmoot.services.media_port import ShowTiles, TilePlan
from lab.our_tile import make_board
from lab.plans import WindowPlan
from lab.sides import OurSide, our_side


class _Window(QObject):
    """The tiles, in Qt's thread."""

    memory_came = Signal(object)

    def __init__(self, plan: WindowPlan) -> None:
        super().__init__()
        self.plans: list[tuple[TilePlan, ...]] = []
        self.changed = threading.Event()
        self._board, self.tiles, pictures = make_board(
            plan.keys, plan.width, plan.height, self._tell
        )
        self._board.show()
        self.memory_came.connect(pictures.take_memory)

    def _tell(self, plan: tuple[TilePlan, ...]) -> None:
        self.plans.append(plan)
        self.changed.set()


async def _serve(plan: WindowPlan, window: _Window) -> None:
    async with our_side(
        audio=plan.audio(),
        video=plan.video(),
        window=True,
        devices=bool(plan.microphone or plan.speaker),
    ) as side:
        window.memory_came.emit(side.memory)
        await asyncio.to_thread(window.changed.wait)
        side.send(ShowTiles(window.plans[-1]))
        reader = asyncio.StreamReader(limit=1 << 22)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        _say("ready")
        while line := await reader.readline():
            _say(await _obey(side, window, json.loads(line)))
    os._exit(0)


async def _obey(side: OurSide, window: _Window, order: dict[str, Any]) -> object:
    key = str(order.get("key", ""))
    match order["do"]:
        case "offer":
            return await side.offer(key)
        case "answer":
            return await side.answer(key, order["sdp"])
        case "accept":
            await side.accept(key, order["sdp"])
        case "state":
            return {
                each: "connected" if side.is_connected(each) else "" for each in side.connections()
            }
        case "report":
            rows = [_row_for_json(row) for each in side.stats()[-1:] for row in each.rows]
            painted = {tile.key: tile.painted for tile in window.tiles}
            return {"pictures": {"view": painted[window.tiles[0].key], **painted}, "stats": rows}
        case "media":
            return side.pid
    return None


def _row_for_json(row: Any) -> dict[str, Any]:
    """A row of statistics for JSON."""
    return {name: getattr(row, name) for name in row.__struct_fields__ if name != "peer"}


def _say(answer: object) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


def main(plan: WindowPlan) -> None:
    """Run it."""
    application = QApplication([])
    window = _Window(plan)
    threading.Thread(target=lambda: asyncio.run(_serve(plan, window)), daemon=True).start()
    application.exec()


if __name__ == "__main__":
    said = json.loads(sys.argv[1])
    main(WindowPlan(**{**said, "keys": tuple(said["keys"])}))
