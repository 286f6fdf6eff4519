"""The only input and output of the signaling server: listening, HTTP, signals.

Refuses to hold any state of a team: for now it answers whether it is well.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import sys
from collections.abc import Sequence

from aiohttp import web

from folkmoot import __version__
from folkmoot.domain.address import Address
from folkmoot.domain.errors import EnvironmentFault

_MAX_BODY_BYTES = 64 * 1024
_MAX_HEADER_BYTES = 8 * 1024
_KEEPALIVE_S = 15.0
_SHUTDOWN_S = 5.0


def build_application() -> web.Application:
    """Return the routes of the server, without a socket."""
    application = web.Application(client_max_size=_MAX_BODY_BYTES)
    application.router.add_get("/health", _health)
    return application


async def serve(listen: Sequence[Address]) -> None:
    """Serve on every address of `listen` until SIGTERM or SIGINT; print one ready line.

    Raises EnvironmentFault ``port_taken``, ``port_forbidden`` or ``address_unusable``.
    """
    runner = web.AppRunner(
        build_application(),
        access_log=None,
        handle_signals=False,
        keepalive_timeout=_KEEPALIVE_S,
        shutdown_timeout=_SHUTDOWN_S,
        max_line_size=_MAX_HEADER_BYTES,
        max_field_size=_MAX_HEADER_BYTES,
    )
    await runner.setup()
    try:
        for address in listen:
            await _listen(runner, address)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        bound = [str(Address(*name[:2])) for name in runner.addresses]
        sys.stdout.write(json.dumps({"ready": True, "listen": bound}) + "\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, address: Address) -> None:
    try:
        await web.TCPSite(runner, address.host, address.port).start()
    except OSError as error:
        raise _explain(address, error) from error


def _explain(address: Address, error: OSError) -> EnvironmentFault:
    if error.errno == errno.EADDRINUSE:
        return EnvironmentFault(
            "port_taken",
            f"Another program is already listening on {address}.",
            "Stop it, or choose another port with --listen.",
        )
    if error.errno == errno.EACCES:
        return EnvironmentFault(
            "port_forbidden",
            f"This user may not listen on {address}.",
            "Choose a port above 1023 with --listen.",
        )
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return EnvironmentFault(
        "address_unusable",
        f"Cannot listen on {address}: {reason}.",
        "Choose an address of this computer with --listen.",
    )


async def _health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok", "version": __version__})
