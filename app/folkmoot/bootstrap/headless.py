"""`folkmoot node`: the node without a window, in the foreground until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from folkmoot.bootstrap.ending import leave
from folkmoot.bootstrap.running import Options, build, run_loop
from folkmoot.domain.errors import FolkmootError
from folkmoot.system.instance import NODE, Instance
from folkmoot.system.logs import LogFile
from folkmoot.system.profile import Profile, open_profile

COULD_NOT_START = 3
"""Exit status of a node that never became ready."""

_log = logging.getLogger(__name__)


def run_node(profile: Path | None, options: Options) -> int:
    """Run until a signal tells to stop; the exit status is 0, or 3 if it never became ready.

    Prints one line of JSON when it is ready, or why it cannot be.
    """
    os.umask(0o077)
    try:
        opened = open_profile(profile)
        instance = Instance(opened, NODE)
    except FolkmootError as error:
        return _say_not_ready(error)
    log = LogFile(opened.log)
    try:
        status = run_loop(_serve_until_told(opened, options))
    except FolkmootError as error:
        _log.error("the node cannot run: %s", error)
        status = _say_not_ready(error)
    except Exception:
        _log.critical("the node died", exc_info=True)
        raise
    finally:
        log.close()
        instance.release()
    return leave(status)


async def _serve_until_told(profile: Profile, options: Options) -> int:
    told = asyncio.Event()
    _on_signals(told.set)
    running = await build(profile, options)
    me = running.node.identity.me()
    _say(
        {
            "ready": True,
            "person": me.person.hex(),
            "device": me.device.hex(),
            "listen": running.node.listening,
            "api": running.api_url,
            "profile": str(profile.folder),
        }
    )
    _log.info("ready")
    for notice in running.node.notices():
        sys.stderr.write(f"folkmoot: {notice.message} {notice.hint}".rstrip() + "\n")
    await told.wait()
    _log.info("told to stop")
    await running.aclose()
    return 0


def _on_signals(stop: Callable[[], None]) -> None:
    import signal

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
        else:
            loop.add_signal_handler(number, stop)


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _say_not_ready(error: FolkmootError) -> int:
    told = {"code": error.code, "message": error.message, "hint": error.hint}
    _say({"ready": False, "error": told})
    sys.stderr.write(f"folkmoot: {error}\n")
    return COULD_NOT_START
