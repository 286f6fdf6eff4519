"""From process start to the first frame with the last conversation's text, beside a bare widget.

The profile is made once with the shipped node: 10,000 messages in three channels. Each sample is a
process of its own, started as `folkmoot --profile DIR` starts; a listener added to the window
notes the CPU time of the process right after the first frame, before the node is begun, and
checks that rows of the timeline were laid out in it. The baseline is an application with one empty
widget.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from bench.measurement import Measurement

MESSAGES = 10_000
ROUNDS = 9
LIMIT_S = 0.35
_WORDS = [
    *("the", "mould", "is", "ready", "and", "we", "can", "start", "on", "Monday", "if", "resin"),
    *("has", "arrived", "please", "check", "`ply_07`", "angle", "of", "every", "**layer**"),
]

_OURS = """
import os, sys, time
import folkmoot.ui.shell as module
import folkmoot.ui.timeline.view as timeline_module
from PySide6.QtCore import Qt

frames = []
draw = timeline_module.TimelineView.paintEvent
timeline_module.TimelineView.paintEvent = lambda self, event: (draw(self, event), frames.append(1))

class Timed(module.Shell):
    def __init__(self, theme):
        super().__init__(theme)
        self.first_painted.connect(self.note, Qt.ConnectionType.QueuedConnection)

    def note(self):
        spent = time.process_time()
        timeline = self.page().conversation.timeline
        assert frames and len(timeline.placement.visible) > 5 and len(timeline.model) == 64
        print(spent, flush=True)
        os._exit(0)

module.Shell = Timed
from folkmoot.main import main
sys.exit(main(sys.argv[1:]))
"""

_BARE = """
import os, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget

class Bare(QWidget):
    def paintEvent(self, event):
        QTimer.singleShot(0, lambda: (print(time.process_time(), flush=True), os._exit(0)))

application = QApplication([])
widget = Bare()
widget.resize(1280, 800)
widget.show()
application.exec()
"""


def measure() -> Iterable[Measurement]:
    """CPU seconds of both, interleaved."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_fill(Path(folder)))
        ours: list[float] = []
        bare: list[float] = []
        for _ in range(ROUNDS):
            bare.append(_run(_BARE))
            ours.append(_run(_OURS, "--profile", folder))
    yield Measurement(
        "first paint, 10,000 messages, CPU",
        ours,
        "s",
        at_most=LIMIT_S,
        baseline=bare,
        note="baseline: a bare widget",
    )


async def _fill(folder: Path) -> None:
    """A profile as it is left after 10,000 messages, the window's last place remembered."""
    from folkmoot.bootstrap.running import Options, build
    from folkmoot.system.profile import open_profile

    running = await build(open_profile(folder), Options(discovery=False, listen=("127.0.0.1:0",)))
    node = running.node
    team = await node.teams.create("Harbour Studio")
    channels = [c.id for c in await node.conversations.list()]
    for name in ("boat-hull", "shipping"):
        channels.append((await node.conversations.create_channel(team.id, name)).id)
    seeded = random.Random(7)
    for number in range(MESSAGES):
        text = " ".join(seeded.choices(_WORDS, k=2 + int(seeded.expovariate(1 / 14))))
        await node.messages.post(channels[number % len(channels)], text)
    await node.settings.set("window.conversation", channels[1].hex())
    await running.aclose()


def _run(program: str, *arguments: str) -> float:
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return float(done.stdout)
