"""Pictures of what is said about the program: `python tests/ui/about_gallery.py DIR [SCENE…]`.

Not a test. Draws both themes at the scale given by QT_SCALE_FACTOR.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QDateTime
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from builders.feeds import ADDRESS
from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.domain.updates import Release
from folkmoot.services.update_values import Updates
from folkmoot.services.values import Identity
from folkmoot.ui.about.desk import About, _read_licences
from folkmoot.ui.about.dialog import LicencesDialog
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.dialogs.settings import SettingsDialog
from folkmoot.ui.main.doorkeeper import Doorkeeper
from folkmoot.ui.theme.icons import app_icon
from folkmoot.ui.theme.theme import Mode, Theme
from ui.call_gallery import Booth, Straight

PROFILE = Path("/home/elin/.local/share/folkmoot")
ON = Updates(on=True, address=ADDRESS, looked_ms=QDateTime.currentMSecsSinceEpoch())
OUT = replace(
    ON,
    offer=Release(
        "0.2.0",
        "2026-11-26",
        "Files of any size from computer to computer.\nCalls begin twice as fast.",
        "https://example.org/0.2.0",
    ),
)


class Stand:
    """A main window with what is about the program, in one thread."""

    def __init__(self, app: QApplication, theme: Theme) -> None:
        self.booth = Booth(app, theme)
        self.theme = theme
        self.shell = self.booth.shell
        bridge = cast("Bridge", Straight(SimpleNamespace()))
        self.about = About(self.shell, theme, self.booth.model, bridge, PROFILE)
        self.door = Doorkeeper(self.booth.view, self.booth.model, bridge)


def about(stand: Stand, updates: Updates = Updates()) -> QWidget:  # noqa: B008
    stand.booth.model.take_updates(updates)
    stand.about.open()
    assert stand.about.dialog is not None
    return stand.about.dialog


def about_asks(stand: Stand) -> QWidget:
    dialog = about(stand)
    assert stand.about.dialog is not None
    stand.about.dialog.switch.click()
    return dialog


def about_failed(stand: Stand) -> QWidget:
    words = "What is at this address is not signed by the key in it, so it is not believed."
    hint = "Ask whoever gave you the address for the one that holds now."
    return about(stand, replace(ON, problem=words, hint=hint))


def licences(stand: Stand) -> QWidget:
    form = LicencesDialog(stand.shell, stand.theme, _read_licences())
    form.open()
    return form


def settings(stand: Stand) -> QWidget:
    words = ("harbour", "mast", "copper", "lantern")
    me = Identity(
        PersonId(bytes(32)), DeviceId(bytes(32)), "Elin Aas", "elin-laptop", words, "0.1.0"
    )
    form = SettingsDialog(stand.shell, stand.theme, me)
    form.open()
    return form


def card(stand: Stand) -> QWidget:
    stand.booth.model.take_updates(OUT)
    return stand.shell


def card_among(stand: Stand) -> QWidget:
    stand.booth.model.take_notice("port_taken", "Port 7000 is taken.", "Another one is used.")
    assert OUT.offer is not None
    long = replace(OUT.offer, summary="\n".join(f"Line {n} of what is new." for n in range(9)))
    stand.booth.model.take_updates(replace(OUT, offer=long))
    return stand.shell


SCENES: dict[str, Callable[[Stand], QWidget]] = {
    "about": about,
    "about-asks": about_asks,
    "about-on": lambda stand: about(stand, ON),
    "about-out": lambda stand: about(stand, OUT),
    "about-failed": about_failed,
    "licences": licences,
    "settings": settings,
    "card": card,
    "card-among": card_among,
}


def main() -> None:
    """Draw the scenes named after the folder, or all; also where the window is narrow."""
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    app = QApplication(sys.argv[:1])
    app.setWindowIcon(app_icon())
    theme = Theme(app, Mode.LIGHT)
    for mode in (Mode.LIGHT, Mode.DARK):
        theme.set_mode(mode)
        for name in sys.argv[2:] or list(SCENES):
            for width in (0, 380):
                stand = Stand(app, theme)
                stand.shell.show()
                if width:
                    stand.shell.resize(width, 640)
                window = SCENES[name](stand)
                QTest.qWait(80)
                narrow = "-narrow" if width else ""
                window.grab().save(str(target / f"{name}{narrow}-{mode.value}.png"))
                if window is not stand.shell:
                    window.close()
                stand.booth.close()
                QTest.qWait(10)


if __name__ == "__main__":
    main()
