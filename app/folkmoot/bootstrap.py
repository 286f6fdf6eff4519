"""Composition root: builds every object once and runs it.

Imports heavy things inside the functions, so that the window can paint before they are loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from folkmoot.domain.address import Address


def run_window(*, profile: Path | None) -> int:
    """Open the window on `profile` (None: the usual folder) and return the exit status."""
    from PySide6.QtWidgets import QApplication, QMainWindow

    application = QApplication(sys.argv[:1])
    window = QMainWindow()
    window.setWindowTitle("Folkmoot")
    window.show()
    return application.exec()


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

    `listen` empty means the usual addresses; `api_port` None means no API.
    """
    sys.stdout.write('{"ready": true}\n')
    return 0


def make_token(*, profile: Path | None, scopes: frozenset[str], expires_s: int) -> str:
    """Return a token for the local API of `profile`, valid for `expires_s` seconds."""
    return ""


def rebuild_store(*, profile: Path | None) -> str:
    """Build the derived tables again from the log and return a sentence that says what was done."""
    return ""
