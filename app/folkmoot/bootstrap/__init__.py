"""Composition root: builds every object once and runs it.

Imports each part inside the function that runs it, so that the window can paint before the node's
libraries are loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from folkmoot.domain.address import Address


def run_window(*, profile: Path | None, link: str = "") -> int:
    """Open the window on `profile` (None: the usual folder) and return the exit status.

    `link` (``folkmoot://…``) is shown in it.
    """
    from folkmoot.bootstrap.window import run_window as run

    return run(profile, link)


def run_node(
    *,
    profile: Path | None,
    name: str | None,
    listen: Sequence[Address],
    peers: Sequence[Address],
    signaling: Sequence[str] = (),
    api_port: int | None,
    discovery: bool,
    microphone: str = "none",
    camera: str = "none",
    speaker: str = "none",
    answer: bool = False,
    share: str = "none",
    record: str = "none",
) -> int:
    """Run the node without a window until it is told to stop, and return the exit status.

    `microphone` and `camera` are ``none``, ``test`` or ``file:PATH``; `answer`: join what rings.
    `share` (``none``, ``test``, or ``screen``, ``window``, ``file`` with a colon and which) and
    `record` (``none``, ``mkv``, ``mp4``) are done in every call.
    `signaling`: servers of this run, besides those that are kept.
    `listen` empty means the usual addresses; `api_port` None means no API. Prints one line of JSON
    when it is ready, or why it cannot be.
    """
    from folkmoot.bootstrap.headless import run_node as run
    from folkmoot.bootstrap.running import Options

    listening, dialled = tuple(map(str, listen)), tuple(map(str, peers))
    sources = (microphone, speaker, camera)
    return run(
        profile,
        Options(
            *(name, listening, dialled, api_port, discovery, sources, answer),
            share=share,
            record=record,
            signaling=tuple(signaling),
        ),
    )


def run_media(*, memory: str | None) -> int:
    """Be the media process of the node that started this one, and return the exit status.

    `memory` is the place of the shared memory for pictures, None where nothing is shown.
    """
    import os

    from folkmoot.media.process import run_media as run
    from folkmoot.system.display import find_display_fault

    if find_display_fault() is not None:  # Qt would end the process; sound needs no display
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            os.environ.pop(name, None)
    return run(memory)


def run_doctor(*, profile: Path | None, as_json: bool, wait: bool, names: bool) -> int:
    """Print how everybody is reached, and return the exit status: 0 if everybody is, else 1.

    `wait`: try every way first. `names`: with names instead of short ids.
    """
    from folkmoot.bootstrap.doctoring import run_doctor as run

    return run(profile, as_json=as_json, wait=wait, names=names)


def run_selftest() -> int:
    """Try out every capability, print JSON, and return the exit status: 0 if all are there."""
    from folkmoot.bootstrap.selftest.command import run_selftest as run

    return run()


def run_selfcheck(*, name: str) -> int:
    """Be the process of one check of the self-test. Raises `UserError` for an unknown `name`."""
    from folkmoot.bootstrap.selftest.checks import BY_NAME
    from folkmoot.bootstrap.selftest.child import be_check
    from folkmoot.domain.errors import UserError

    if name not in BY_NAME:
        raise UserError("bad_name", f"There is no check called “{name[:40]}”.")
    be_check(BY_NAME[name])


def make_token(*, profile: Path | None, scopes: frozenset[str], expires_s: int) -> str:
    """Return a token for the local API of `profile`, valid for `expires_s` seconds."""
    from folkmoot.api.tokens import TokenBook
    from folkmoot.system.profile import open_profile

    return TokenBook(open_profile(profile).api).make(sorted(scopes), expires_s)


def rebuild_store(*, profile: Path | None) -> str:
    """Build the derived tables again from the log and return a sentence that says what was done."""
    from folkmoot.bootstrap.rebuilding import rebuild_store as rebuild

    return rebuild(profile)
