"""Pictures of the controls and of the timeline, for looking at: `python tests/ui/gallery.py DIR`.

Not a test. Draws both themes at the scale given by QT_SCALE_FACTOR.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.services.values import PresenceState
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Mode, Theme
from folkmoot.ui.widgets.avatar import Avatar
from folkmoot.ui.widgets.buttons import Button, ButtonKind, IconButton
from folkmoot.ui.widgets.emoji import EmojiList
from folkmoot.ui.widgets.emoji_picker import open_emoji_picker
from folkmoot.ui.widgets.fields import Switch, TextField
from folkmoot.ui.widgets.surfaces import Badge, Banner, EmptyState, Pill, Tone
from folkmoot.ui.widgets.text import SectionHeader, Text


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


if __name__ == "__main__":
    main()
