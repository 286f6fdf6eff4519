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


def run_window(*, profile: Path | None) -> int:
    """Open the window on `profile` (None: the usual folder) and return the exit status."""
    from folkmoot.bootstrap.window import run_window as run

    return run(profile)


def run_node(
    *,
    profile: Path | None,
    name: str | None,
    listen: Sequence[Address],
    peers: Sequence[Address],
    api_port: int | None,
    discovery: bool,
) -> int:
    """Run the node without a window until it is told to stop, and return the exit status.

    `listen` empty means the usual addresses; `api_port` None means no API. Prints one line of JSON
    when it is ready, or why it cannot be.
    """
    from folkmoot.bootstrap.headless import run_node as run
    from folkmoot.bootstrap.running import Options

    listening, dialled = tuple(map(str, listen)), tuple(map(str, peers))
    return run(profile, Options(name, listening, dialled, api_port, discovery))


def make_token(*, profile: Path | None, scopes: frozenset[str], expires_s: int) -> str:
    """Return a token for the local API of `profile`, valid for `expires_s` seconds."""
    from folkmoot.api.tokens import TokenBook
    from folkmoot.system.profile import open_profile

    return TokenBook(open_profile(profile).api).make(sorted(scopes), expires_s)


def rebuild_store(*, profile: Path | None) -> str:
    """Build the derived tables again from the log and return a sentence that says what was done."""
    from folkmoot.bootstrap.rebuilding import rebuild_store as rebuild

    return rebuild(profile)
