"""Pictures of calls, for looking at: `python tests/ui/call_gallery.py DIR`.

Not a test. Draws both themes at the scale given by QT_SCALE_FACTOR.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QObject, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QLinearGradient, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from fakes.calls import FakeCalls, FakeRecordings, somebody
from folkmoot.domain.ids import ConversationId, DeviceId
from folkmoot.services import events as told
from folkmoot.services.call_values import (
    Call,
    CallEnd,
    CallPhase,
    CallRecord,
    Participant,
    ParticipantState,
    PeerStats,
    Share,
    ShareChoice,
    ShareSource,
    ShareSources,
)
from folkmoot.services.media_port import SCREEN
from folkmoot.services.values import (
    Conversation,
    ConversationKind,
    Role,
    Team,
)
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.call.desk import Desk
from folkmoot.ui.call.layout import LayoutKind
from folkmoot.ui.call.pictures import ALL
from folkmoot.ui.call.room import Room
from folkmoot.ui.call.tile import Tile
from folkmoot.ui.conversation.drafting import Drafting
from folkmoot.ui.main.state import header_state, side_bar_state
from folkmoot.ui.main.view import MainView
from folkmoot.ui.model import WindowModel
from folkmoot.ui.share.places import Display
from folkmoot.ui.share.region import RegionOverlay
from folkmoot.ui.share.screen_tile import ScreenTile
from folkmoot.ui.share.sources import SourceCard
from folkmoot.ui.shell import Shell
from folkmoot.ui.theme.theme import Mode, Theme
from folkmoot.ui.widgets.emoji import EmojiList
from ui.samples import NAMES, person

TEAM = ConversationId(b"t" * 32)
HULL = ConversationId(b"h" * 32)
MARA = ConversationId(b"d" * 32)
NOW_S = 1_763_566_500.0


def drive(work: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine that waits for nothing."""
    with contextlib.suppress(StopIteration):
        work.send(None)


class Straight(QObject):
    """A bridge that asks at once: nothing waits, nothing is another thread."""

    events = Signal(list)

    def __init__(self, node: object) -> None:
        super().__init__()
        self._node = node

    def ask(self, fn: Callable[[Any], Awaitable[Any]], *, whole: bool = False) -> Awaitable[Any]:
        return fn(self._node)

    def tell(self, fn: Callable[[Any], Awaitable[Any]]) -> None:
        drive(cast("Coroutine[Any, Any, Any]", fn(self._node)))

    def run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        drive(work)


class Settings:
    async def get(self, key: str) -> str | None:
        return None

    async def set(self, key: str, value: str | None) -> None:
        return None


def conversation(id_: ConversationId, name: str, kind: ConversationKind, **changes: Any) -> Any:
    """A conversation with what the side bar shows of it."""
    made = dict.fromkeys(Conversation.__dataclass_fields__, 0) | {
        "id": id_,
        "team": TEAM,
        "kind": kind,
        "name": name,
        "topic": "",
        "participants": (),
    }
    return Conversation(**(made | changes))


def who(number: int, **changes: Any) -> Participant:
    """Tomas, Mara, Yuki, or somebody more."""
    name = NAMES[number] if number < len(NAMES) else f"Person {number}"
    return somebody(person(number), name, number, **changes)


def scene(size: tuple[int, int], hue: int) -> QImage:
    """A picture as a camera gives one: light from a window, somebody in front of it."""
    image = QImage(*size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ground = QLinearGradient(QPointF(0, 0), QPointF(size[0] * 0.6, size[1]))
    ground.setColorAt(0, QColor.fromHsv(hue, 70, 140))
    ground.setColorAt(1, QColor.fromHsv(hue, 90, 55))
    painter.fillRect(image.rect(), ground)
    painter.setPen(QColor(0, 0, 0, 0))
    height = size[1]
    middle = size[0] / 2
    painter.setBrush(QColor.fromHsv((hue + 180) % 360, 60, 90))
    painter.drawEllipse(QPointF(middle, height * 1.05), height * 0.5, height * 0.42)
    painter.setBrush(QColor(201, 160, 130))
    painter.drawEllipse(QPointF(middle, height * 0.46), height * 0.17, height * 0.22)
    painter.setBrush(QColor(70, 48, 36))
    painter.drawChord(
        round(middle - height * 0.18),
        round(height * 0.22),
        round(height * 0.36),
        round(height * 0.34),
        0,
        180 * 16,
    )
    painter.end()
    return image


def page(size: tuple[int, int], part: tuple[int, int, int, int]) -> QImage:
    """A picture as a screen gives one: a window with a drawing and text; `part` of it."""
    image = QImage(*size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    across, down = (part[2] - part[0]) / 65536, (part[3] - part[1]) / 65536
    painter.scale(size[0] / across / 1920, size[1] / down / 1080)
    painter.translate(-part[0] / 65536 * 1920, -part[1] / 65536 * 1080)
    painter.fillRect(0, 0, 1920, 1080, QColor("#f7f7f5"))
    font = QFont("Inter")
    font.setPixelSize(32)
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(QColor("#2a2927"))
    painter.drawText(70, 86, "Laminate schedule, rev 12")
    font.setPixelSize(26)
    font.setBold(False)
    painter.setFont(font)
    painter.setPen(QColor("#6b675f"))
    painter.drawText(70, 140, "mould-scan-08.ply")
    ground = QLinearGradient(QPointF(70, 190), QPointF(1850, 860))
    ground.setColorAt(0, QColor("#dfeae5"))
    ground.setColorAt(1, QColor("#8db1a3"))
    painter.setBrush(ground)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(70, 190, 1780, 670, 14, 14)
    painter.setPen(QColor("#2a2927"))
    font.setPixelSize(19)
    painter.setFont(font)
    for row in range(6):
        words = f"{row + 1}   biaxial ±45°, 600 g/m², from frame {3 * row} to {3 * row + 4}"
        painter.drawText(80, 910 + row * 28, words)
    painter.end()
    return image


class Booth:
    """A main window with a desk over a fake, in one thread."""

    def __init__(self, app: QApplication, theme: Theme) -> None:
        self.app = app
        self.kept: list[QWidget] = []
        self.model = WindowModel()
        self.model.me, self.model.my_name = person(0), NAMES[0]
        team = dict.fromkeys(Team.__dataclass_fields__, 0) | {
            "id": TEAM,
            "name": "Harbour Studio",
            "members": 9,
            "visible": True,
            "role": Role.OWNER,
        }
        channel, direct = ConversationKind.CHANNEL, ConversationKind.DIRECT
        self.model.teams = {TEAM: cast("Any", Team)(**team)}
        rows = (
            conversation(ConversationId(b"g" * 32), "general", channel),
            conversation(HULL, "boat-hull", channel, topic="Laminate, moulds and the prototype"),
            conversation(ConversationId(b"s" * 32), "shipping", channel, unread=2),
            conversation(MARA, "Mara Oduya", direct, participants=(person(0), person(2))),
        )
        self.model.conversations = {c.id: c for c in rows}
        self.calls = FakeCalls(self.publish, person(0), NAMES[0])
        self.recordings = FakeRecordings(self.publish)
        node = SimpleNamespace(calls=self.calls, recordings=self.recordings, settings=Settings())
        self.bridge = cast("Bridge", Straight(node))
        self.shell = Shell(theme)
        self.view = MainView(theme)
        self.shell.show_page(self.view)
        self.desk = Desk(
            *(self.view, self.shell, theme, self.model, self.bridge),
            Drafting(self.model, self.bridge),
            EmojiList(),
        )
        self.model.call_changed.connect(self.desk.follow)
        self.refresh(HULL)

    def refresh(self, current: ConversationId) -> None:
        """What the main presenter shows around."""
        self.view.side_bar.show_state(side_bar_state(self.model, TEAM, current))
        known = self.model.conversations[current]
        self.view.header.show_state(header_state(self.model, known))

    def publish(self, event: told.Event) -> None:
        """As the feed does."""
        if isinstance(event, told.CallChanged):
            self.model.take_call(event.call)
        else:
            self.desk.take(event)

    def join(self, place: ConversationId, *others: Participant, **changes: Any) -> Room:
        """Be in a call with these."""
        me = self.calls.me(**{k: v for k, v in changes.items() if k in ("microphone", "camera")})
        changes = {"microphone": True, "camera": me.camera} | changes
        call = Call(
            *(self.calls._make(place, CallPhase.JOINED, (*others, me)).id, place),
            CallPhase.JOINED,
            me.camera,
            others[0].person if others else person(0),
            0,
            (*others, me),
        )
        self.calls.tell(replace(call, **changes))
        assert self.desk.room is not None
        self.desk.room._began -= 252
        self.desk.room._show_time()
        return self.desk.room

    def fill(self) -> None:
        """Put a picture into every tile that wants one."""
        QTest.qWait(80)
        for window in self.app.topLevelWidgets():
            for tile in window.findChildren(Tile):
                want = tile.wanted()
                if want is not None:
                    key = tile.state.key[0]
                    hue = (key[3] * 97 + 150) % 360 if key else 150
                    if want.kind == SCREEN:
                        size = (want.size.width(), want.size.height())
                        tile.show_picture(page(size, want.zoom), want.zoom)
                        continue
                    tile.show_picture(scene((want.size.width(), want.size.height()), hue))
            for card in window.findChildren(SourceCard):
                want = card.wanted()
                if want is not None:
                    card.show_picture(page((want.size.width(), want.size.height()), ALL))
        QTest.qWait(20)

    def close(self) -> None:
        """Everything goes."""
        self.desk.close()
        self.shell.close()
        self.shell.deleteLater()


def statistics(second: int, *devices: DeviceId) -> tuple[PeerStats, ...]:
    """A second of figures that look like a network's."""
    made = []
    for at, device in enumerate(devices):
        wave = math.sin(second / 7 + at * 2)
        bad = 0.06 if 60 < second < 75 and at else 0.0
        made.append(
            PeerStats(
                device,
                rtt_ms=18 + 6 * wave + bad * 900,
                loss_in=max(0.0, 0.004 * wave) + bad,
                jitter_ms=3 + wave,
                audio_in_bps=32_000,
                audio_out_bps=32_000,
                video_in_bps=int(900_000 + 250_000 * wave - bad * 8_000_000),
                video_out_bps=880_000,
                fps_in=29.6 - bad * 200,
                fps_out=30,
                width=1280,
                height=720,
                freezes=2 if second > 62 and at else 0,
                frozen_ms=640 if second > 62 and at else 0,
                concealed_ms=120,
                audio_delay_ms=42,
                codec="opus, VP8",
                way="host",
            )
        )
    return tuple(made)


def one_to_one(booth: Booth) -> QWidget:
    room = booth.join(MARA, who(2))
    booth.publish(told.CallLevels(room.call.id, ((who(2).device, 0.6, True),)))
    return room.window


def ringing_out(booth: Booth) -> QWidget:
    me = booth.calls.me()
    rung = who(2, state=ParticipantState.RINGING, device=DeviceId(b""))
    call = booth.calls._make(MARA, CallPhase.CALLING, (rung, me), microphone=True)
    booth.calls.tell(call)
    assert booth.desk.room is not None
    return booth.desk.room.window


def video(booth: Booth) -> QWidget:
    return booth.join(MARA, who(2, camera=True), camera=True).window


def grid(booth: Booth) -> QWidget:
    others = (who(1, camera=True, microphone=False, hand=True), who(2), who(3, camera=True))
    room = booth.join(HULL, *others, camera=True)
    room.set_layout(LayoutKind.GRID)
    booth.publish(told.CallLevels(room.call.id, ((who(3).device, 0.6, True),)))
    return room.window


def speaker(booth: Booth) -> QWidget:
    rung = who(3, state=ParticipantState.RINGING, device=DeviceId(b""))
    others = (who(2, camera=True), who(1, camera=True, microphone=False, hand=True, quality=2))
    room = booth.join(HULL, *others, rung, camera=True)
    for _ in range(4):
        booth.publish(told.CallLevels(room.call.id, ((who(2).device, 0.6, True),)))
    return room.window


def weak(booth: Booth) -> QWidget:
    others = (
        who(2, quality=1, quality_reason="loss"),
        who(1, state=ParticipantState.RECONNECTING, quality=0),
    )
    room = booth.join(HULL, *others)
    room.set_layout(LayoutKind.GRID)
    booth.publish(
        told.CallNotice(
            "microphone",
            "The microphone “Headset” was unplugged.",
            "The built-in microphone is used now.",
        )
    )
    return room.window


def no_camera(booth: Booth) -> QWidget:
    room = booth.join(MARA, who(2, camera=True))
    booth.publish(
        told.CallNotice(
            "camera",
            "The camera is used by another program.",
            "Close that program, then switch the camera on again.",
        )
    )
    return room.window


def people(booth: Booth) -> QWidget:
    others = (
        who(1, microphone=False, hand=True, quality=2, quality_reason="delay"),
        who(2, camera=True, is_host=True),
        who(3, volume=0.6),
    )
    room = booth.join(HULL, *others, camera=True, may_control=True)
    room.window.bar.people.click()
    return room.window


def chart(booth: Booth) -> QWidget:
    room = booth.join(HULL, who(1, camera=True), who(2, camera=True))
    for second in range(110):
        rows = statistics(second, who(1).device, who(2).device)
        booth.publish(told.CallStatsTaken(room.call.id, rows))
    room.beside.toggle_stats()
    return room.window


def ended(booth: Booth) -> QWidget:
    window = ringing_out(booth)
    call = next(iter(booth.calls.calls.values()))
    booth.calls.tell(replace(call, phase=CallPhase.ENDED, end=CallEnd.NO_ANSWER))
    return window


def ring(booth: Booth) -> QWidget:
    booth.calls.ringing(MARA, who(2))
    booth.refresh(HULL)
    return booth.shell


def strip(booth: Booth) -> QWidget:
    booth.join(HULL, who(1, quality=2), who(2))
    booth.desk._show_strip()
    booth.refresh(HULL)
    return booth.shell


def check(booth: Booth) -> QWidget:
    booth.desk.start(MARA, video=True)
    assert booth.desk.check is not None
    booth.publish(told.MicrophoneTested(0.55))
    return booth.desk.check


def settings(booth: Booth) -> QWidget:
    booth.desk.open_settings()
    assert booth.desk.check is not None
    booth.publish(told.MicrophoneTested(0.55))
    return booth.desk.check


def history(booth: Booth) -> QWidget:
    rows = [
        (MARA, person(2), "Mara Oduya", False, 0, False),
        (HULL, person(0), "Elin Aas", True, 1932, True),
        (MARA, person(0), "Elin Aas", False, 0, True),
    ]
    for at, (place, by, name, video_, seconds, there) in enumerate(rows):
        start = round(NOW_S * 1000) - at * 7_200_000
        booth.calls.records.append(
            cast("Any", CallRecord)(
                *(booth.calls._make(place, CallPhase.ENDED, ()).id, place, by, name, video_),
                *(start, start + seconds * 1000, seconds, (), (), there),
            )
        )
    booth.desk.open_history()
    made = booth.app.activeModalWidget()
    assert made is not None
    return made


def small(booth: Booth) -> QWidget:
    room = booth.join(MARA, who(2, camera=True), camera=True)
    room.show_compact()
    assert room.small.compact is not None
    return room.small.compact


def menu(booth: Booth) -> QWidget:
    room = booth.join(MARA, who(2, camera=True), camera=True)
    room.menus.open_reactions()
    booth.publish(told.CallReaction(room.call.id, person(2), "🎉"))
    return room.window


def toast(booth: Booth) -> QWidget:
    booth.shell.hide()
    made = booth.calls.ringing(HULL, who(2), video=True)
    return booth.desk.rings.toasts[made.id]


SHARES = {"screen": True, "screen_width": 1920, "screen_height": 1080}


def draw_ink(booth: Booth, room: Room) -> None:
    """Tomas draws and Yuki points on what Mara shares."""
    line = [(0.32 + n * 0.01, 0.46 - 0.16 * math.sin(n / 25 * 4.4)) for n in range(26)]
    for number, action, places in ((1, "stroke", line), (3, "point", [(0.72, 0.3)])):
        one = who(number)
        booth.publish(
            told.InkDrawn(
                *(room.call.id, who(2).device, one.person, one.device, one.name, action, 1),
                tuple(places),
            )
        )


def viewer(booth: Booth) -> QWidget:
    rung = who(3, state=ParticipantState.RINGING, device=DeviceId(b""))
    others = (who(2, **SHARES), who(1, camera=True, microphone=False, hand=True))
    room = booth.join(HULL, *others, rung, camera=True)
    row = replace(statistics(1, who(2).device)[0], screen_fps_in=24.0)
    booth.publish(told.CallStatsTaken(room.call.id, (row,)))
    draw_ink(booth, room)
    return room.window


def screen_of(room: Room) -> ScreenTile:
    return next(t for t in room.window.stage.tiles.values() if isinstance(t, ScreenTile))


def zoomed(booth: Booth) -> QWidget:
    window = viewer(booth)
    assert booth.desk.room is not None
    tile = screen_of(booth.desk.room)
    tile.tools.pen.click()
    tile.zoom_to(tile.look.at_scale(1.6, QPointF(500, 250)))
    return window


def two_sharers(booth: Booth) -> QWidget:
    others = (who(2, **SHARES), who(1, camera=True, **SHARES), who(3))
    return booth.join(HULL, *others).window


def paused(booth: Booth) -> QWidget:
    room = booth.join(MARA, who(2, **SHARES, screen_paused=True))
    return room.window


def sharing(booth: Booth) -> Room:
    me = booth.calls.me(screen=True, screen_width=1200, screen_height=800)
    room = booth.join(HULL, who(1), who(2, camera=True))
    call = room.call
    rows = tuple(me if p.is_me else p for p in call.participants)
    share = Share(ShareChoice("window", "window-1"), "Budget 2027 – Calc", place=(40, 60, 300, 200))
    booth.calls.tell(replace(call, participants=rows, share=share))
    return room


def presenting(booth: Booth) -> QWidget:
    return sharing(booth).window


def presenter_bar(booth: Booth) -> QWidget:
    room = sharing(booth)
    one = who(1)
    mine = next(p.device for p in room.call.participants if p.is_me)
    line = tuple((0.3 + n * 0.02, 0.5 - 0.2 * math.sin(n / 5)) for n in range(20))
    booth.publish(
        told.InkDrawn(room.call.id, mine, one.person, one.device, one.name, "stroke", 1, line)
    )
    assert room.sharing.presenting is not None
    return room.sharing.presenting.bar


def paused_bar(booth: Booth) -> QWidget:
    bar = presenter_bar(booth)
    assert booth.desk.room is not None
    call = booth.desk.room.call
    assert call.share is not None
    rows = tuple(replace(p, screen_paused=p.is_me) for p in call.participants)
    booth.calls.tell(replace(call, participants=rows, share=replace(call.share, paused=True)))
    return bar


def picker_narrow(booth: Booth) -> QWidget:
    return picker(booth, (420, 640))


def picker(booth: Booth, size: tuple[int, int] = (1120, 700)) -> QWidget:
    names = ("Notes", "mould-scan-08.ply – Blender 4.2 with quite a long name", "Terminal")
    windows = tuple(
        ShareSource(f"w{n}", "window", name, program, 1200, 800)
        for n, (name, program) in enumerate(
            zip(names, ("Editor", "Blender", "Terminal"), strict=True)
        )
    )
    screens = tuple(ShareSource(f"s{n}", "screen", f"Screen {n}", "", 1920, 1080) for n in (1, 2))
    booth.calls.sources = ShareSources((*screens, *windows), regions=True, sound=True)
    room = booth.join(HULL, who(1), who(2, camera=True))
    room.window.resize(*size)
    room.window.bar.share.click()
    made = room.sharing.picking.dialog
    assert made is not None
    made.list.cards[0].setChecked(True)
    return made


def picker_of_desktop(booth: Booth) -> QWidget:
    booth.calls.sources = ShareSources(platform=True)
    room = booth.join(HULL, who(1))
    room.window.bar.share.click()
    made = room.sharing.picking.dialog
    assert made is not None
    return made


def picker_empty(booth: Booth) -> QWidget:
    booth.calls.sources = ShareSources()
    room = booth.join(HULL, who(1))
    room.window.bar.share.click()
    made = room.sharing.picking.dialog
    assert made is not None
    return made


def region(booth: Booth) -> QWidget:
    ground = QPixmap.fromImage(page((1280, 800), ALL))
    made = RegionOverlay(ground, Display(QRect(0, 0, 1280, 800)), booth.desk._dark)
    made.selection.box = QRect(200, 150, 640, 360)
    made.show()
    made._follow()
    booth.kept.append(made)
    return made


def share_people(booth: Booth) -> QWidget:
    window = viewer(booth)
    assert booth.desk.room is not None
    booth.desk.room.window.bar.people.click()
    return window


def share_strip(booth: Booth) -> QWidget:
    booth.join(HULL, who(1), who(2, **SHARES))
    booth.desk._show_strip()
    booth.refresh(HULL)
    return booth.shell


def share_small(booth: Booth) -> QWidget:
    room = booth.join(MARA, who(2, **SHARES))
    room.show_compact()
    assert room.small.compact is not None
    return room.small.compact


def share_full(booth: Booth) -> QWidget:
    viewer(booth)
    assert booth.desk.room is not None
    booth.desk.room.sharing._fill_display()
    return next(iter(booth.desk.room.small.pop_outs.values()))


SHARE_SCENES = {
    "share-full": share_full,
    "share-viewer": viewer,
    "share-zoomed": zoomed,
    "share-two": two_sharers,
    "share-paused": paused,
    "share-own": presenting,
    "share-bar": presenter_bar,
    "share-bar-paused": paused_bar,
    "share-picker": picker,
    "share-picker-narrow": picker_narrow,
    "share-picker-desktop": picker_of_desktop,
    "share-picker-empty": picker_empty,
    "share-region": region,
    "share-people": share_people,
    "share-strip": share_strip,
    "share-small": share_small,
}
SCENES = SHARE_SCENES | {
    "ringing": ringing_out,
    "ring": ring,
    "voice": one_to_one,
    "video": video,
    "grid": grid,
    "speaker": speaker,
    "weak": weak,
    "no-camera": no_camera,
    "people": people,
    "statistics": chart,
    "ended": ended,
    "strip": strip,
    "check": check,
    "small": small,
    "settings": settings,
    "history": history,
    "reactions": menu,
    "toast": toast,
}
NARROW = ("speaker", "people", "grid", "ring", "share-viewer", "share-two")


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
                booth.fill()
                window.grab().save(str(target / f"{name}-narrow-{mode.value}.png"))
            booth.close()
            QTest.qWait(10)


if __name__ == "__main__":
    main()
