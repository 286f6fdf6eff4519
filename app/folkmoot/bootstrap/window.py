"""`folkmoot`: the window first, then the node in its thread.

Before the first frame this imports neither asyncio nor logging nor anything that the node needs.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from folkmoot.domain.errors import FolkmootError
from folkmoot.system.computer import computer_name, full_name
from folkmoot.system.instance import NODE, WINDOW, Instance, ProfileInUse
from folkmoot.system.profile import Profile, default_folder, open_profile

if TYPE_CHECKING:
    from folkmoot.services.values import FirstPage
    from folkmoot.ui.bridge import NodeHandle


AFTER_FIRST_FRAME_MS = 200
SWITCH_S = 0.0005
"""The node's thread and the window's take turns often: a message passes both, twice."""


def run_window(profile: Path | None) -> int:
    """Open the window on `profile` and return the exit status.

    If a window is open on it already, that one comes forward and this start is over.
    """
    from folkmoot.bootstrap.ending import leave

    gc.disable()  # a tenth of the first frame would go into looking; `ui.garbage` takes over
    os.umask(0o077)
    sys.setswitchinterval(SWITCH_S)
    try:
        opened = open_profile(profile)
        instance = _claim_for_window(opened)
    except FolkmootError as error:
        sys.stderr.write(f"folkmoot: {error}\n")
        _show_fault(profile, error)
        return leave(1)
    if instance is None:
        return 0
    try:
        status = _show(opened)
    finally:
        instance.release()
    return leave(status)


def _show(profile: Profile) -> int:
    """Run the window with a node beside it; the log file begins after the first frame too."""
    from folkmoot.ui.app import run

    ends: list[Callable[[], None]] = []

    def start() -> NodeHandle:
        from folkmoot.bootstrap.node_thread import NodeThread
        from folkmoot.system.logs import LogFile

        log = LogFile(profile.log)
        ends.append(log.close)
        return NodeThread(profile)

    first = _first_page(profile)
    shows_team = first is not None and bool(first.teams)
    try:
        return run(
            profile=profile.folder,
            first=first,
            start=start,
            proposed_name="" if shows_team else full_name(),
            computer_name="" if shows_team else computer_name(),
            raised=lambda come_forward: _listen_soon(profile, come_forward, ends),
        )
    finally:
        for end in ends:
            end()


def _show_fault(folder: Path | None, error: FolkmootError) -> None:
    """A window that only says why there is no node."""
    from folkmoot.ui.app import run

    def start() -> NodeHandle:
        from folkmoot.bootstrap.node_thread import NoNode

        return NoNode(error)

    run(
        profile=folder or default_folder(),
        first=None,
        start=start,
        proposed_name=full_name(),
        computer_name=computer_name(),
    )


def _listen_soon(
    profile: Profile, come_forward: Callable[[], None], ends: list[Callable[[], None]]
) -> None:
    """Take signals and second starts, once the first frame is there."""
    from PySide6.QtCore import QTimer

    def listen() -> None:
        from folkmoot.system.activation import Activation
        from folkmoot.system.quitting import QuitSignals

        ends.append(Activation(profile.folder, come_forward).close)
        ends.append(QuitSignals().close)

    QTimer.singleShot(AFTER_FIRST_FRAME_MS, listen)


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


def _first_page(profile: Profile) -> FirstPage | None:
    from folkmoot.storage.first_page import read_first_page

    return read_first_page(profile.store) if profile.store.exists() else None
