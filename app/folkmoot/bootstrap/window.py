"""`folkmoot`: the window first, then the node in its thread.

Before the first frame this imports neither asyncio nor logging nor anything that the node needs.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from folkmoot.system.instance import NODE, WINDOW, Instance, ProfileInUse
from folkmoot.system.profile import Profile, open_profile

if TYPE_CHECKING:
    pass


def run_window(profile: Path | None) -> int:
    """Open the window on `profile` and return the exit status.

    If a window is open on it already, that one comes forward and this start is over.
    """
    from PySide6.QtWidgets import QApplication, QMainWindow

    from folkmoot.bootstrap.ending import leave

    os.umask(0o077)
    opened = open_profile(profile)
    instance = _claim_for_window(opened)
    if instance is None:
        return 0
    try:
        application = QApplication(sys.argv[:1])
        window = QMainWindow()
        window.setWindowTitle("Folkmoot")
        window.show()
        status = application.exec()
    finally:
        instance.release()
    return leave(status)


def _claim_for_window(profile: Profile) -> Instance | None:
    """The claim on the profile, or None if another window had it and came forward.

    A window that is just opening or closing is waited for.
    """
    until = time.monotonic() + 4.0
    while True:
        try:
            return Instance(profile, WINDOW)
        except ProfileInUse as error:
            if error.kind == NODE or time.monotonic() > until:
                raise
        from folkmoot.system.activation import ask_to_come_forward

        if ask_to_come_forward(profile.folder):
            return None
        time.sleep(0.1)
