"""Pictures of recording, for looking at: `python tests/ui/recording_gallery.py DIR [SCENE…]`.

Not a test. Draws both themes at the scale given by QT_SCALE_FACTOR.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from folkmoot.services import events as told
from folkmoot.services.call_values import Recorded, RecordingNow
from folkmoot.ui.call.state import screen_key
from folkmoot.ui.theme.theme import Mode, Theme
from ui.call_gallery import HULL, MARA, Booth, who
from ui.films import make_film, samples
from ui.samples import NAMES, call_message, message, person, whole


def sheet(booth: Booth) -> QWidget:
    booth.recordings.kept = str(Path.home() / "Videos" / "Folkmoot")
    room = booth.join(HULL, who(1), who(2), who(3))
    room.recording.open_sheet()
    assert room.recording.sheet is not None
    return room.recording.sheet


def seen(booth: Booth) -> QWidget:
    """Somebody records."""
    others = (who(2, camera=True), who(1, camera=True, microphone=False), who(3))
    room = booth.join(HULL, *others, camera=True)
    call = booth.calls.calls[room.call.id]
    there = (replace(others[0], records=True), *call.participants[1:])
    booth.calls.changed(call, participants=there)
    return room.window


def met(booth: Booth) -> QWidget:
    """Into a call that two record."""
    others = (who(2, camera=True, records=True), who(1, camera=True, records=True))
    return booth.join(HULL, *others, camera=True).window


def mine(booth: Booth) -> QWidget:
    room = booth.join(HULL, who(2, camera=True), who(1, camera=True), camera=True)
    call = booth.calls.calls[room.call.id]
    there = tuple(replace(p, records=True) if p.is_me else p for p in call.participants)
    now = RecordingNow("r1", "/recordings/call.mkv", 252.0, 24_300_000)
    booth.calls.changed(call, participants=there, recording=now)
    return room.window


def paused(booth: Booth) -> QWidget:
    window = mine(booth)
    call = next(iter(booth.calls.calls.values()))
    assert call.recording is not None
    booth.calls.changed(call, recording=replace(call.recording, paused=True))
    return window


def broke(booth: Booth) -> QWidget:
    """It ended by itself."""
    window = mine(booth)
    call = next(iter(booth.calls.calls.values()))
    there = tuple(replace(p, records=False) for p in call.participants)
    booth.calls.changed(call, participants=there, recording=None)
    words = "The disk is nearly full: the recording ended."
    booth.publish(told.CallNotice("recording", words, "It plays up to there."))
    return window


def small(booth: Booth) -> QWidget:
    room = booth.join(MARA, who(2, camera=True, records=True), camera=True)
    room.show_compact()
    assert room.small.compact is not None
    return room.small.compact


def screen(booth: Booth) -> QWidget:
    """A shared screen in a window of its own, of a call that is recorded."""
    mara = who(2, screen=True, screen_width=1280, screen_height=720, records=True)
    room = booth.join(HULL, mara, camera=True)
    room.pop_out(screen_key(mara))
    return room.small.pop_outs[screen_key(mara)]


def strip(booth: Booth) -> QWidget:
    booth.join(HULL, who(1, quality=2), who(2, records=True))
    booth.desk._show_strip()
    booth.refresh(HULL)
    return booth.shell


def library(booth: Booth) -> QWidget:
    booth.recordings.kept = str(Path.home() / "Videos" / "Folkmoot")
    booth.desk.library.open()
    window = booth.desk.library.window
    assert window is not None
    return window


def full(booth: Booth) -> QWidget:
    booth.recordings.held = samples("/nowhere.mkv")
    return library(booth)


def found_nothing(booth: Booth) -> QWidget:
    window = full(booth)
    booth.desk.library.window.search.setText("keel")  # type: ignore[union-attr]
    QTest.qWait(200)
    return window


def deleting(booth: Booth) -> QWidget:
    window = full(booth)
    booth.desk.library._ask_delete("r2")
    return window


def player(booth: Booth, path: str = "") -> QWidget:
    path = path or _film()
    booth.recordings.held = samples(path)
    window = library(booth)
    booth.desk.library.play("r2")
    made = booth.desk.library.player
    assert made is not None
    QTest.qWait(900)
    made.engine.pause()
    made.engine.seek(7_300)
    QTest.qWait(300)
    return window


def broken(booth: Booth) -> QWidget:
    return player(booth, "/nowhere.mkv")


def _film() -> str:
    path = Path(tempfile.gettempdir()) / "folkmoot-gallery.mkv"
    if not path.exists():
        make_film(path, seconds=20, size=(1280, 720))
    return str(path)


def card(booth: Booth) -> QWidget:
    """Who recorded, under the card of the call."""
    made = call_message(1, 2, 1, 0, seconds=1_930)
    assert made.call is not None
    rows = (
        Recorded(person(2), NAMES[2], made.sent_at_ms + 60_000, 1_804, is_me=False),
        Recorded(person(0), NAMES[0], made.sent_at_ms + 90_000, 723, is_me=True),
    )
    shown = replace(made, call=replace(made.call, recorded=rows))
    after = message(2, "The recording is good, thank you.", author=1)
    timeline = booth.view.conversation.timeline
    timeline.model.show_page(whole(message(0, "Shall we talk?", author=2), shown, after))
    booth.refresh(HULL)
    return booth.shell


SCENES = {
    "card": card,
    "list-empty": library,
    "list": full,
    "list-nothing": found_nothing,
    "list-delete": deleting,
    "player": player,
    "player-broken": broken,
    "sheet": sheet,
    "seen": seen,
    "met": met,
    "mine": mine,
    "paused": paused,
    "broke": broke,
    "small": small,
    "screen": screen,
    "strip": strip,
}
NARROW = ("seen", "mine", "list", "player", "strip")


def main() -> None:
    """Draw the scenes named after the folder, or all."""
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[2:] or list(SCENES)
    app = QApplication(sys.argv[:1])
    theme = Theme(app, Mode.LIGHT)
    for mode in (Mode.LIGHT, Mode.DARK):
        theme.set_mode(mode)
        for name in wanted:
            booth = Booth(app, theme)
            booth.shell.show()
            window = SCENES[name](booth)
            QTest.qWait(60)
            booth.fill()
            window.grab().save(str(target / f"{name}-{mode.value}.png"))
            if name in NARROW:
                window.resize(420, 640)
                booth.desk._show_strip()
                booth.fill()
                window.grab().save(str(target / f"{name}-narrow-{mode.value}.png"))
            booth.close()
            QTest.qWait(10)


if __name__ == "__main__":
    main()
