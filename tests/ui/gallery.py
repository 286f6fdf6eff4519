"""Pictures of the controls and of the timeline, for looking at: `python tests/ui/gallery.py DIR`.

Not a test. Draws both themes at the scale given by QT_SCALE_FACTOR.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint, QRect
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.services.values import Message, PresenceState
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Mode, Theme
from folkmoot.ui.timeline.callwords import LiveCall
from folkmoot.ui.timeline.layout import HitKind
from folkmoot.ui.timeline.layout import Mode as TimelineMode
from folkmoot.ui.timeline.model import TimelineModel
from folkmoot.ui.timeline.view import TimelineView
from folkmoot.ui.widgets.avatar import Avatar
from folkmoot.ui.widgets.buttons import Button, ButtonKind, IconButton
from folkmoot.ui.widgets.emoji import EmojiList
from folkmoot.ui.widgets.emoji_picker import open_emoji_picker
from folkmoot.ui.widgets.fields import Switch, TextField
from folkmoot.ui.widgets.surfaces import Badge, Banner, EmptyState, Pill, Tone
from folkmoot.ui.widgets.text import SectionHeader, Text
from ui.samples import at_time, call_message, entry, message, reaction, repliers, whole


def controls(theme: Theme) -> QWidget:
    """One sheet with every control."""
    sheet = QWidget()
    sheet.resize(1100, 620)
    columns = QHBoxLayout(sheet)
    left = QVBoxLayout()
    left.setSpacing(12)
    columns.addLayout(left, 1)
    left.addWidget(Text("Talk to the people\non your network.", theme, TextStyle.DISPLAY))
    left.addWidget(Text("No account, no server.", theme, TextStyle.BODY, "mute"))
    left.addWidget(TextField("Your name", theme, placeholder="Elin Aas"))
    row = QHBoxLayout()
    for kind in ButtonKind:
        row.addWidget(Button(kind.value.title(), theme, kind))
    row.addWidget(Button("Invite", theme, ButtonKind.PRIMARY, icon="user-plus"))
    off = Button("Off", theme, ButtonKind.PRIMARY)
    off.setEnabled(False)
    row.addWidget(off)
    row.addStretch(1)
    left.addLayout(row)
    row = QHBoxLayout()
    for name in ("hash", "smile", "users", "settings", "x", "bold", "italic", "code", "lock"):
        row.addWidget(IconButton(name, name, theme))
    badge = Badge(theme)
    badge.set_count(12)
    row.addWidget(badge)
    row.addWidget(Pill("owner", theme))
    row.addWidget(Pill("arrived late, 15:18", theme, ground="mention", token="mention_ink"))
    row.addStretch(1)
    left.addLayout(row)
    left.addWidget(SectionHeader("Direct messages", theme))
    row = QHBoxLayout()
    names = ("Elin Aas", "Mara Oduya", "山田 太郎", "Tomas Lind")
    for number, (name, presence) in enumerate(zip(names, PresenceState, strict=True)):
        for side in (20, 36):
            key = bytes([0, 0, 0, number]) + bytes(28)
            row.addWidget(Avatar(name, key, theme, side=side, presence=presence, ground="window"))
    row.addStretch(1)
    left.addLayout(row)
    switch = Switch(
        "Visible on this network",
        "Computers on this network see this team's name and may ask to join.",
        theme,
    )
    switch.setChecked(True)
    left.addWidget(switch)
    left.addWidget(Switch("Start with the computer", "", theme))
    for tone in Tone:
        left.addWidget(Banner("The port is taken. Another one is used.", theme, tone, act="Why"))
    left.addStretch(1)
    columns.addWidget(
        EmptyState(
            "users",
            "You are the first one here",
            "Invite the people you work with: send them this link.",
            theme,
            act="Copy the invitation",
        ),
        1,
    )
    return sheet


NOW_MS = 1_763_566_500_000
"""19 November 2025, 15:35 UTC."""


def boat_hull() -> tuple[Message, ...]:
    """The conversation of the design's picture, and more markdown below it."""
    minute = 60_000
    yuki, tomas, mara, elin = 3, 1, 2, 0

    def at(number: int, before: int, text: str, who: int, **changes: Any) -> Message:
        return at_time(message(number, text, who, **changes), NOW_MS - before * minute)

    late = replace(
        at(1, 55, "The resin order went out this morning, tracking is in shipping.", yuki),
        late=True,
        arrived_at_ms=NOW_MS - 17 * minute,
    )
    code = (
        "Layup schedule for the new hull is done. Can someone check `ply_07`? "
        "The angle looks wrong to me:\n```python\n"
        'ply_07 = Ply(angle=-45, thickness=0.31, side="port")\n```'
    )
    asked = at(
        2,
        33,
        code,
        tomas,
        reactions=(reaction("👀", 2, mine=True), reaction("👍", 1)),
        reply_count=4,
        last_reply_ms=NOW_MS - 20 * minute,
        repliers=repliers(mara, elin, yuki),
    )
    rich = (
        "Some **bold**, *italic*, ~~struck~~ and a link: https://example.org/hull\n\n"
        "> The mould is 8 metres long,\n> and it must dry for two days.\n\n"
        "- gelcoat\n- glass\n- resin\n\n1. sand\n2. wash\n\n## A heading\nand <b>no html</b>"
    )
    return (
        late,
        asked,
        at(3, 15, "the mould scan is here, straight from the workshop machine.", mara),
        at(4, 14, "Second line of the same person,\nwith a break.", mara, edited=True),
        at(5, 12, rich, yuki),
        at(6, 11, "gone", tomas, deleted=True),
        at(7, 4, "Is it `+45` on port? 👍🎉", mara, edited=True, reply_to=entry(3)),
        at(8, 2, "On my way to the shed, keep the scan open.", elin, stored_on=5),
    )


def calls(theme: Theme, width: int, height: int, mode: TimelineMode) -> TimelineView:
    """Every card of a call; the first one runs and its button is pointed at, one is replied to."""
    minute = 60_000
    yuki, tomas, mara, elin = 3, 1, 2, 0
    cards = (
        call_message(1, mara, tomas, elin),
        call_message(2, mara, yuki, tomas),
        call_message(3, tomas, mara, elin, seconds=754),
        replace(call_message(4, yuki, seconds=45, video=False), reactions=(reaction("👍", 1),)),
        call_message(5, elin, seconds=45),
        call_message(6, mara, tomas, yuki, seconds=3_900, video=False),
        call_message(7, yuki, mara, video=False),
    )
    rows = [at_time(card, NOW_MS - (20 - n) * minute) for n, card in enumerate(cards)]
    view = TimelineView(TimelineModel(), theme, mode=mode, now_ms=lambda: NOW_MS)
    view.resize(width, height)
    last = message(8, "No answer? I am in the shed.", mara, reply_to=rows[4].id)
    view.model.show_page(whole(*rows, at_time(last, NOW_MS)), rows[3].id)
    running = {card.call.id: card for card in rows[:2] if card.call is not None}
    words = (("Mara, Tomas and you", "4 min", True), ("Mara, Yuki and Tomas", "38 min", False))
    view.set_live_calls({id: LiveCall(*said) for id, said in zip(running, words, strict=True)})
    return view


def timeline(theme: Theme, width: int, height: int, mode: TimelineMode) -> TimelineView:
    """A timeline with sample messages, one of them hovered."""
    model = TimelineModel()
    view = TimelineView(model, theme, mode=mode, now_ms=lambda: NOW_MS)
    view.resize(width, height)
    rows = boat_hull()
    model.show_page(whole(*(rows[1:] if mode is TimelineMode.THREAD else rows)), entry(7))
    return view


def main() -> None:
    """Draw everything into the folder named on the command line."""
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    app = QApplication(sys.argv[:1])
    theme = Theme(app, Mode.LIGHT)
    for mode in (Mode.LIGHT, Mode.DARK):
        theme.set_mode(mode)
        sheet = controls(theme)
        sheet.show()
        app.processEvents()
        sheet.grab().save(str(target / f"controls-{mode.value}.png"))
        open_emoji_picker(sheet, theme, EmojiList(), QRect(700, 80, 20, 20))
        app.processEvents()
        sheet.grab().save(str(target / f"picker-{mode.value}.png"))
        sheet.close()
        for name, width, height, where in (
            ("wide", 1300, 900, TimelineMode.CHANNEL),
            ("middle", 699, 900, TimelineMode.CHANNEL),
            ("narrow", 380, 700, TimelineMode.CHANNEL),
            ("thread", 329, 700, TimelineMode.THREAD),
        ):
            view = timeline(theme, width, height, where)
            view.show()
            QTest.qWait(400)
            if name == "middle":
                view.placement.to_end()
                placed = next(p for p in view.placement.visible if p.row.message.id == entry(3))
                QTest.mouseMove(view.viewport(), QPoint(300, placed.top + 30))
            QTest.qWait(50)
            view.grab().save(str(target / f"timeline-{name}-{mode.value}.png"))
            view.close()
            view = calls(theme, width, height, where)
            view.show()
            QTest.qWait(50)
            if name == "middle":
                hit = next(hit for hit in view.row_at(0).hits if hit.kind is HitKind.CALL)
                top = view.placement.visible[0].top
                QTest.mouseMove(view.viewport(), hit.box.center().toPoint() + QPoint(0, top))
            view.grab().save(str(target / f"calls-{name}-{mode.value}.png"))
            view.close()


if __name__ == "__main__":
    main()
