"""The command `folkmoot`: reads the arguments, starts the part asked for, says what failed.

Imports nothing heavy: every part is imported when it is started, so that the window paints first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from folkmoot import __version__
from folkmoot.domain.address import Address, parse_address
from folkmoot.domain.errors import FolkmootError, UserError

SCOPES = ("read", "write", "calls", "admin")
"""What a token of the local API may allow."""
DEFAULT_TOKEN_LIFE_S = 30 * 24 * 3600
MAX_TOKEN_LIFE_S = 366 * 24 * 3600


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0 done, 1 failed, 2 wrong arguments."""
    options = _parser().parse_args(argv)
    try:
        return _run(options)
    except FolkmootError as error:
        sys.stderr.write(f"folkmoot: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    command: str | None = options.command
    profile: Path | None = options.profile
    if command is None:
        return _run_window(profile)
    from folkmoot import bootstrap

    if command == "node":
        return bootstrap.run_node(
            profile=profile,
            name=options.name,
            listen=options.listen or [],
            peers=options.peer or [],
            api_port=options.api_port,
            discovery=not options.no_discovery,
        )
    if command == "token":
        token = bootstrap.make_token(
            profile=profile, scopes=frozenset(options.scope), expires_s=options.expires
        )
        sys.stdout.write(token + "\n")
        return 0
    sys.stdout.write(bootstrap.rebuild_store(profile=profile) + "\n")
    return 0


def _run_window(profile: Path | None) -> int:
    from folkmoot.system.display import find_display_fault

    fault = find_display_fault()
    if fault is not None:
        raise fault
    from folkmoot import bootstrap

    return bootstrap.run_window(profile=profile)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="folkmoot",
        description="Team chat from computer to computer, without a server. "
        "Without a command it opens the window.",
        allow_abbrev=False,
    )
    _add_profile(parser, default=None)
    # A command must not undo the --profile that stands before it.
    profile = argparse.ArgumentParser(add_help=False)
    _add_profile(profile, default=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=f"folkmoot {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    _add_node(commands, profile)
    _add_token(commands, profile)
    commands.add_parser(
        "rebuild",
        parents=[profile],
        allow_abbrev=False,
        help="build everything that is derived from the log again",
    )
    return parser


def _add_profile(parser: argparse.ArgumentParser, default: str | None) -> None:
    parser.add_argument(
        "--profile",
        type=Path,
        metavar="DIR",
        default=default,
        help="folder with the keys and the messages; a fresh folder is a fresh start",
    )


def _add_node(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], profile: argparse.ArgumentParser
) -> None:
    node = commands.add_parser(
        "node", parents=[profile], allow_abbrev=False, help="run without a window"
    )
    node.add_argument("--name", help="name of the person, on the first run")
    node.add_argument(
        "--listen",
        type=_address,
        action="append",
        metavar="HOST:PORT",
        help="listen for peers here (may be repeated; port 0 takes a free one)",
    )
    node.add_argument(
        "--peer",
        type=_peer_address,
        action="append",
        metavar="HOST:PORT",
        help="connect to this computer (may be repeated)",
    )
    node.add_argument(
        "--api-port",
        type=_port,
        metavar="N",
        help="serve the local API on 127.0.0.1 at this port (0 takes a free one)",
    )
    node.add_argument(
        "--no-discovery",
        action="store_true",
        help="neither announce this computer on the network nor look for others",
    )


def _add_token(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], profile: argparse.ArgumentParser
) -> None:
    token = commands.add_parser(
        "token", parents=[profile], allow_abbrev=False, help="make a token for the local API"
    )
    token.add_argument(
        "--scope",
        nargs="+",
        action="extend",
        required=True,
        choices=SCOPES,
        metavar="S",
        help=f"what the token allows: {', '.join(SCOPES)}",
    )
    token.add_argument(
        "--expires",
        type=_token_life,
        default=DEFAULT_TOKEN_LIFE_S,
        metavar="SECONDS",
        help="how long it is valid (default: 30 days)",
    )


def _address(text: str) -> Address:
    try:
        return parse_address(text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _peer_address(text: str) -> Address:
    address = _address(text)
    if address.port == 0:
        raise argparse.ArgumentTypeError("port 0 cannot be connected to")
    return address


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"“{text[:20]}” is not a port (0 to 65535)")
    return int(text)


def _token_life(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise argparse.ArgumentTypeError(f"“{text[:20]}” is not a number of seconds")
    seconds = int(text)
    if not 1 <= seconds <= MAX_TOKEN_LIFE_S:
        raise argparse.ArgumentTypeError(f"a token lives 1 to {MAX_TOKEN_LIFE_S} seconds")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
