"""The process of one check: makes it, answers, and ends whatever is still going on.

Refuses to outlive the process that started it, and to let a library write into the answer.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from folkmoot.bootstrap.selftest.answer import Answer, write_answer
from folkmoot.bootstrap.selftest.runner import Check
from folkmoot.domain.errors import FolkmootError
from folkmoot.system.display import find_display_fault

MAX_LINES = 20


def be_check(check: Check) -> NoReturn:
    """Make `check` in this process, write the answer to descriptor 1, and end the process."""
    os.umask(0o077)
    sink = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _choose_platform(check)
    lines = _Lines()
    logging.getLogger().addHandler(lines)
    answer = make_check(lambda: load(check.where), Path(tempfile.gettempdir()))
    if not answer.ok:
        lines.tell()
    with os.fdopen(sink, "w", encoding="utf-8") as file:
        file.write(write_answer(answer))
    sys.stderr.flush()
    # Not the usual end: libraries that still have threads may crash in it, after the answer.
    os._exit(0)


def _choose_platform(check: Check) -> None:
    """Keep what shows nothing away from the display: a virtual one begins anew, and is not there
    for a moment, whenever the last program leaves it. A missing display is told once, as such."""
    if sys.platform in ("win32", "darwin") or check.name == "qt_platform":
        return
    if not check.shows or find_display_fault() is not None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"


class _Lines(logging.Handler):
    """Keeps the last warnings of the log, which usually go to a file, until they are of use."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._kept: deque[str] = deque(maxlen=MAX_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self._kept.append(self.format(record))

    def tell(self) -> None:
        """Write them to stderr."""
        sys.stderr.write("".join(f"{line}\n" for line in self._kept))


def load(where: str) -> Callable[[Path], str]:
    """The function that ``module:function`` names."""
    module, _, name = where.partition(":")
    found: Callable[[Path], str] = getattr(importlib.import_module(module), name)
    return found


def make_check(find: Callable[[], Callable[[Path], str]], folder: Path) -> Answer:
    """Make the check that `find` gives, and turn whatever comes of it into an answer."""
    try:
        return Answer(True, find()(folder))
    except FolkmootError as error:
        return Answer(False, str(error))
    except Exception as error:  # noqa: BLE001 - whatever is wrong is what is asked for
        return Answer(False, f"{type(error).__name__}: {error}")


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)
