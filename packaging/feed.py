"""Makes and checks the feed that tells of new versions (`docs/UPDATES.md`).

    python packaging/feed.py key FILE                  make a key, print what addresses end with
    python packaging/feed.py sign --key FILE FEED      sign the versions in CHANGELOG.md into FEED
    python packaging/feed.py verify ADDRESS FEED       what a FEED says to who has this address

For maintainers. The file of the key is the secret: whoever has it can tell everybody of versions.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "app"))

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.updates import Feed, Release, parse_feed_address, version_key
from folkmoot.protocol.feed import (
    MAX_RELEASES,
    MAX_SUMMARY_CHARACTERS,
    MAX_SUMMARY_LINES,
    read_feed,
    write_feed,
)
from folkmoot.protocol.keys import SEED_BYTES, Signer

CHANGELOG = Path(__file__).resolve().parents[1] / "CHANGELOG.md"
DAYS = 60
_HEADING = re.compile(r"## (\S+), (\d{4}-\d{2}-\d{2})")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line: 0 done, 1 refused, 2 wrong arguments."""
    options = _parser().parse_args(argv)
    try:
        if options.command == "key":
            print(make_key(options.file))
        elif options.command == "sign":
            print(sign(options))
        else:
            print(verify(options.address, options.feed.read_bytes()))
    except (FolkmootError, OSError, ValueError) as error:
        print(f"feed: {error}", file=sys.stderr)
        return 1
    return 0


def make_key(path: Path) -> str:
    """Write a fresh secret to a file that is not there yet; what addresses end with."""
    seed = secrets.token_bytes(SEED_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(base64.urlsafe_b64encode(seed).decode() + "\n")
    return _ending(Signer(seed))


def sign(options: argparse.Namespace) -> str:
    """Write the feed, a serial above the one that stands there; what was written, in words."""
    signer = Signer(base64.urlsafe_b64decode(options.key.read_text("ascii").strip()))
    releases = list(read_changelog(options.changelog.read_text("utf-8"), options.notes))
    if not releases:
        raise ValueError(f"{options.changelog} has no version with a date: “## 0.2.0, 2026-11-26”")
    serial = 1
    if options.feed.exists():
        serial = read_feed(options.feed.read_bytes(), signer.public).serial + 1
    now_ms = int(time.time()) * 1000
    feed = Feed(serial, now_ms, now_ms + options.days * 86_400_000, tuple(releases[:MAX_RELEASES]))
    written = options.feed.with_name(f"{options.feed.name}.new")
    written.write_bytes(write_feed(feed, signer))
    os.replace(written, options.feed)
    return f"{_words(feed)}\nIts address ends with {_ending(signer)}"


def verify(address: str, data: bytes) -> str:
    """What a feed says to who has this address. Raises `FolkmootError` if it is not believed."""
    feed = read_feed(data, parse_feed_address(address).key)
    late = " It has expired: nobody is told." if feed.expires_ms < time.time() * 1000 else ""
    return f"{_words(feed)}{late}"


def read_changelog(text: str, notes: str = "") -> Iterator[Release]:
    """The versions with a date, as they stand there; `notes` is an address with {version}.

    A summary has as many points of the list as fit.
    """
    for section in text.split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        read = _HEADING.fullmatch(f"## {heading.strip()}")
        if read is None:
            continue
        if version_key(read[1]) is None:
            raise ValueError(f"“{read[1]}” is not a version")
        points = [" ".join(point.split()) for point in f"\n{body}".split("\n- ")[1:]]
        yield Release(read[1], read[2], _fit(points), notes.replace("{version}", read[1]))


def _fit(points: Sequence[str]) -> str:
    kept = ""
    for point in points[:MAX_SUMMARY_LINES]:
        longer = f"{kept}\n{point}".strip()
        if len(longer) > MAX_SUMMARY_CHARACTERS:
            break
        kept = longer
    return kept


def _words(feed: Feed) -> str:
    until = datetime.fromtimestamp(feed.expires_ms / 1000, UTC).date()
    lines = [f"Serial {feed.serial}, valid until {until}."]
    lines += [f"{one.version}, {one.date}\n    {one.summary}" for one in feed.releases]
    return "\n".join(lines)


def _ending(signer: Signer) -> str:
    return f"#key={base64.urlsafe_b64encode(signer.public).decode().rstrip('=')}"


def _parser() -> argparse.ArgumentParser:
    about = "Make and check the feed that tells of new versions."
    parser = argparse.ArgumentParser(prog="feed", description=about, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    key = commands.add_parser("key", help="make a key")
    key.add_argument("file", type=Path, help="where the secret is to be; it must not exist")
    signing = commands.add_parser("sign", help="sign the versions in the change log")
    signing.add_argument("feed", type=Path, help="the file to publish")
    signing.add_argument("--key", type=Path, required=True, help="the file that `key` made")
    signing.add_argument("--changelog", type=Path, default=CHANGELOG)
    signing.add_argument("--notes", default="", help="https address with {version} in it")
    signing.add_argument("--days", type=int, default=DAYS, help=f"valid so long (default: {DAYS})")
    checking = commands.add_parser("verify", help="check a feed")
    checking.add_argument("address", help="as it is given to people, with #key=")
    checking.add_argument("feed", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
