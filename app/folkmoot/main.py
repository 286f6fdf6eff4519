"""The command `folkmoot`: reads the arguments, starts the part asked for, says what failed.

Imports nothing heavy: every part is imported when it is started, so that the window paints first.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from folkmoot.build import build
from folkmoot.domain.address import Address, parse_address
from folkmoot.domain.errors import FolkmootError, UserError
from folkmoot.domain.servers import parse_server
from folkmoot.domain.urls import check_url, is_url

SCOPES = ("read", "write", "calls", "admin")
"""What a token of the local API may allow."""
DEFAULT_TOKEN_LIFE_S = 30 * 24 * 3600
MAX_TOKEN_LIFE_S = 366 * 24 * 3600


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0 done, 1 failed, 2 wrong arguments."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _parser(arguments)
    options = parser.parse_args(arguments)
    if options.command is not None and is_url(options.command):
        try:
            options.command = check_url(options.command)
        except UserError as error:
            parser.error(str(error))
    try:
        return _run(options)
    except FolkmootError as error:
        if sys.stderr is not None:
            sys.stderr.write(f"folkmoot: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    if options.version:
        sys.stdout.write(f"folkmoot {build().words}\n")
        return 0
    command: str | None = options.command
    profile: Path | None = options.profile
    if options.selftest:
        from folkmoot import bootstrap

        return bootstrap.run_selftest()
    if command is None or is_url(command):
        return _run_window(profile, command or "")
    from folkmoot import bootstrap

    if command == "selfcheck":
        return bootstrap.run_selfcheck(name=options.name)

    if command == "media":
        return bootstrap.run_media(memory=options.memory)
    if command == "node":
        return bootstrap.run_node(
            profile=profile,
            name=options.name,
            listen=options.listen or [],
            peers=options.peer or [],
            signaling=options.signaling or [],
            api_port=options.api_port,
            discovery=not options.no_discovery,
            microphone=options.microphone,
            camera=options.camera,
            speaker=options.speaker,
            answer=options.answer,
            share=options.share,
            record=options.record,
        )
    if command == "doctor":
        return bootstrap.run_doctor(
            profile=profile, as_json=options.json, wait=options.wait, names=options.names
        )
    if command == "token":
        token = bootstrap.make_token(
            profile=profile, scopes=frozenset(options.scope), expires_s=options.expires
        )
        sys.stdout.write(token + "\n")
        return 0
    sys.stdout.write(bootstrap.rebuild_store(profile=profile) + "\n")
    return 0


def _run_window(profile: Path | None, link: str) -> int:
    from folkmoot.system.display import find_display_fault

    fault = find_display_fault()
    if fault is not None:
        raise fault
    from folkmoot import bootstrap

    return bootstrap.run_window(profile=profile, link=link)


class _Parser(argparse.ArgumentParser):
    """What it says about wrong arguments holds no invitation: it may end up in the system's log."""

    def error(self, message: str) -> NoReturn:
        super().error(re.sub(r"(?i)(folkmoot:/*)[^\s/]\S*", r"\1…", message))


def _parser(arguments: Sequence[str]) -> _Parser:
    parser = _Parser(
        prog="folkmoot",
        description="Team chat from computer to computer, without a server. "
        "Without a command it opens the window.",
        allow_abbrev=False,
    )
    _add_profile(parser, default=None)
    # A command must not undo the --profile that stands before it.
    profile = _Parser(add_help=False)
    _add_profile(profile, default=argparse.SUPPRESS)
    parser.add_argument("--version", action="store_true", help="say which build this is")
    parser.add_argument(
        "--selftest",
        action="store_true",
        help="try out everything that Folkmoot needs, print JSON; the status is 1 if a part fails",
    )
    commands = parser.add_subparsers(
        dest="command",
        metavar="LINK | command",
        help="a link folkmoot://…, which the window shows, or one of these:",
    )
    _add_node(commands, profile)
    _add_doctor(commands, profile)
    _add_token(commands, profile)
    commands.add_parser(
        "rebuild",
        parents=[profile],
        allow_abbrev=False,
        help="build everything that is derived from the log again",
    )
    _add_media(commands)
    _add_selfcheck(commands)
    _add_links(commands, profile, arguments)
    return parser


def _add_profile(parser: _Parser, default: str | None) -> None:
    parser.add_argument(
        "--profile",
        type=Path,
        metavar="DIR",
        default=default,
        help="folder with the keys and the messages; a fresh folder is a fresh start",
    )


def _add_node(commands: argparse._SubParsersAction[_Parser], profile: _Parser) -> None:
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
        "--signaling",
        type=_server,
        action="append",
        metavar="URL",
        help="meet others through this server, such as wss://talk.example.org (may be repeated)",
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
    _add_call_sources(node)


def _add_call_sources(node: argparse.ArgumentParser) -> None:
    for name, what in (("microphone", "sound"), ("camera", "pictures")):
        node.add_argument(
            f"--{name}",
            type=_source,
            default="none",
            metavar="SOURCE",
            help=f"where {what} for calls comes from: none, test or file:PATH (default: none)",
        )
    node.add_argument(
        "--speaker", choices=("none",), default="none", help="where calls are heard: nowhere"
    )
    node.add_argument("--answer", action="store_true", help="join every call that rings this node")
    node.add_argument(
        "--share",
        type=_share,
        default="none",
        metavar="SOURCE",
        help="share this in every call: test, screen:ID, window:ID or file:PATH (default: none)",
    )
    node.add_argument(
        "--record",
        choices=("none", "mkv", "mp4"),
        default="none",
        help="record every call in a file of this kind (default: none)",
    )


def _source(text: str) -> str:
    if text in ("none", "test") or (text.startswith("file:") and len(text) > len("file:")):
        return text
    raise argparse.ArgumentTypeError(f"“{text[:40]}” is not none, test or file:PATH")


def _share(text: str) -> str:
    kind, _, id = text.partition(":")
    if text in ("none", "test") or (kind in ("screen", "window", "file") and id):
        return text
    raise argparse.ArgumentTypeError(
        f"“{text[:40]}” is not none, test, screen:ID, window:ID or file:PATH"
    )


def _add_doctor(commands: argparse._SubParsersAction[_Parser], profile: _Parser) -> None:
    doctor = commands.add_parser(
        "doctor",
        parents=[profile],
        allow_abbrev=False,
        help="say how everybody is reached, or why not and what to do",
        description="Say how everybody in the teams is reached, or why not and what to do. The "
        "status is 0 if everybody is reached, else 1.",
    )
    doctor.add_argument("--json", action="store_true", help="as JSON instead of text")
    doctor.add_argument(
        "--wait",
        action="store_true",
        help="try every way first, 15 seconds at most; that is always done if nothing runs yet",
    )
    doctor.add_argument(
        "--names", action="store_true", help="with names; else persons are short ids"
    )


def _add_token(commands: argparse._SubParsersAction[_Parser], profile: _Parser) -> None:
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


def _add_links(
    commands: argparse._SubParsersAction[_Parser],
    profile: _Parser,
    arguments: Sequence[str],
) -> None:
    """A link is a command of its own: so it is told from the value of an option, and from what
    stands behind another command."""
    for link in dict.fromkeys(filter(is_url, arguments)):
        commands.add_parser(link, parents=[profile], prog="folkmoot LINK", allow_abbrev=False)


def _add_media(commands: argparse._SubParsersAction[_Parser]) -> None:
    """Without help: only the node starts it, with a pipe for its input and output."""
    media = commands.add_parser("media", allow_abbrev=False)
    media.add_argument("--memory", metavar="PLACE", default=None)


def _add_selfcheck(commands: argparse._SubParsersAction[_Parser]) -> None:
    """Without help: only the self-test starts it, for one check."""
    commands.add_parser("selfcheck", allow_abbrev=False).add_argument("name")


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


def _server(text: str) -> str:
    try:
        return str(parse_server(text))
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


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
