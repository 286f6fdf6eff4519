"""The command `folkmoot-signaling`: reads the arguments, runs the server, says what failed."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from folkmoot import __version__
from folkmoot.domain.address import Address, parse_address
from folkmoot.domain.errors import FolkmootError, UserError

DEFAULT_LISTEN = Address("127.0.0.1", 8480)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0 stopped, 1 failed, 2 wrong arguments."""
    options = _parser().parse_args(argv)
    from folkmoot_signaling.server import serve

    try:
        asyncio.run(serve(options.listen or [DEFAULT_LISTEN]))
    except FolkmootError as error:
        sys.stderr.write(f"folkmoot-signaling: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="folkmoot-signaling",
        description="Introduces Folkmoot computers that cannot find each other.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"folkmoot-signaling {__version__}")
    parser.add_argument(
        "--listen",
        type=_address,
        action="append",
        metavar="HOST:PORT",
        help=f"listen here (may be repeated; default: {DEFAULT_LISTEN}; port 0 takes a free one)",
    )
    return parser


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
