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

from folkmoot.domain.errors import EnvironmentFault, FolkmootError
from folkmoot.system.computer import computer_name, full_name
from folkmoot.system.instance import NODE, WINDOW, Instance, ProfileInUse
from folkmoot.system.profile import Profile, default_folder, open_profile

if TYPE_CHECKING:
    from folkmoot.bootstrap.node_thread import NodeThread
    from folkmoot.services.values import FirstPage
    from folkmoot.ui.bridge import NodeHandle


AFTER_FIRST_FRAME_MS = 200
CLAIM_S = 8.0
"""How long a window that has the profile and answers nothing is waited for: it may be starting on a
slow computer, and a link must not be lost."""
SWITCH_S = 0.0005
"""The node's thread and the window's take turns often: a message passes both, twice."""


def run_window(profile: Path | None, link: str = "") -> int:
    """Open the window on `profile`, show `link` in it, and return the exit status.

    If a window is open on it already, that one comes forward with the link and this start is over.
    """
    from folkmoot.bootstrap.ending import leave

    gc.disable()  # a tenth of the first frame would go into looking; `ui.garbage` takes over
    os.umask(0o077)
    if link:
        from folkmoot.system.arguments import hide_argument

        hide_argument(link)
    sys.setswitchinterval(SWITCH_S)
    try:
        opened = open_profile(profile)
        instance = _claim_for_window(opened, link)
    except Exception as error:  # noqa: BLE001 - whoever has no terminal must see it too
        fault = error if isinstance(error, FolkmootError) else _unexpected(error)
        if sys.stderr is not None:  # a program for windows has none on Windows
            sys.stderr.write(f"folkmoot: {fault}\n")
        _show_fault(profile, fault)
        return leave(1)
    if instance is None:
        return 0
    try:
        status = _show(opened, link)
    finally:
        instance.release()
    from folkmoot.ui.app import START_AGAIN

    if status == START_AGAIN:
        from folkmoot.bootstrap.ending import start_again

        start_again(profile)
        status = 0
    return leave(status)


def _show(profile: Profile, link: str) -> int:
    """Run the window with a node beside it; the log file begins after the first frame too."""
    from folkmoot.ui.app import run

    ends: list[Callable[[], None]] = []
    nodes: list[NodeThread] = []

    def start() -> NodeHandle:
        from folkmoot.bootstrap.node_thread import NodeThread
        from folkmoot.system.logs import LogFile

        log = LogFile(profile.log)
        ends.append(log.close)
        nodes.append(NodeThread(profile))
        return nodes[-1]

    first = _first_page(profile)
    shows_team = first is not None and bool(first.teams)
    try:
        status = run(
            profile=profile.folder,
            first=first,
            start=start,
            proposed_name="" if shows_team else full_name(),
            computer_name="" if shows_team else computer_name(),
            link=link,
            listen=lambda opened: _listen_soon(profile, opened, ends),
        )
        refused = next((node.fault for node in nodes if node.fault is not None), None)
        if refused is None or refused.code != "store_newer":  # others may heal while it is open
            return status
        if sys.stderr is not None:
            sys.stderr.write(f"folkmoot: {refused}\n")
        return status or 1
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
    profile: Profile, opened: Callable[[str], None], ends: list[Callable[[], None]]
) -> None:
    """Take signals and second starts, once the first frame is there."""
    from PySide6.QtCore import QTimer

    def listen() -> None:
        from folkmoot.system.activation import Activation
        from folkmoot.system.quitting import QuitSignals

        ends.append(Activation(profile.folder, opened).close)
        ends.append(QuitSignals().close)

    QTimer.singleShot(AFTER_FIRST_FRAME_MS, listen)


def _claim_for_window(profile: Profile, link: str) -> Instance | None:
    """The claim on the profile, or None if another window had it and came forward with `link`.

    A window that is just opening or closing is waited for.
    """
    until = time.monotonic() + CLAIM_S
    while True:
        try:
            return Instance(profile, WINDOW)
        except ProfileInUse as error:
            if error.kind == NODE or time.monotonic() > until:
                raise
        from folkmoot.system.activation import ask_to_come_forward

        if ask_to_come_forward(profile.folder, link):
            return None
        time.sleep(0.1)


def _first_page(profile: Profile) -> FirstPage | None:
    """What was last shown; None for a store that cannot be read, of which the node tells."""
    from folkmoot.storage.first_page import read_first_page

    try:
        return read_first_page(profile.store) if profile.store.exists() else None
    except Exception:  # noqa: BLE001 - a newer version may have written what this one cannot know
        return None


def _unexpected(error: Exception) -> EnvironmentFault:
    return EnvironmentFault(
        "internal_error",
        f"Folkmoot could not start: {error} ({type(error).__name__}).",
        "What you wrote is safe. Start it again, or with another folder: --profile DIR.",
    )
