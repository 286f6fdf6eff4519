"""Keeps Qt's multimedia from writing to the terminal what the window says in words.

A handler of messages in Python would need the interpreter while Qt waits for its own threads, so
this is done with rules. Loads nothing of multimedia: call `quiet_multimedia` before that is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QLoggingCategory

_QUIET = "qt.multimedia.*=false"


def quiet_multimedia() -> None:
    """From now on it says nothing about libraries and codecs that are not there."""
    QLoggingCategory.setFilterRules(_QUIET)


@contextmanager
def hushed() -> Iterator[None]:
    """Around what Qt warns of without a category: no sound system, no graphics to convert with."""
    QLoggingCategory.setFilterRules(f"{_QUIET}\ndefault.warning=false")
    try:
        yield
    finally:
        quiet_multimedia()
