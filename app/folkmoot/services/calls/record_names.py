"""Names of recorded files: readable, and allowed on every system they may be copied to.

Refuses nothing: what cannot be in a name (POSIX: ``/`` and NUL; Windows: "Naming Files, Paths, and
Namespaces") is left out, and so is what could mislead a reader.
"""

from __future__ import annotations

import unicodedata

MAX_BYTES = 120
"""Of UTF-8: a name of 255 bytes is allowed everywhere, and the date is put after it."""
_FORBIDDEN = frozenset('<>:"/\\|?*')
_PORTS = (f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³")
_DEVICES = frozenset(("con", "prn", "aux", "nul", "conin$", "conout$", *_PORTS))


def file_stem(conversation: str, stamp: str) -> str:
    """A name without its ending: the conversation and when, as ``Design 2026-11-26 14.30.05``."""
    return f"{clean_part(conversation) or 'Call'} {stamp}"


def clean_part(text: str) -> str:
    """`text` as a part of a file name; empty if nothing of it can be in one.

    Controls, marks of direction and other invisible characters go (categories C), what file
    systems refuse becomes a space; no dots or spaces stand at either end, and no name of a device.
    """
    kept = (_kept(one) for one in unicodedata.normalize("NFC", text))
    cleaned = _cut(" ".join("".join(kept).split())).strip(". ")
    if cleaned.partition(".")[0].strip().casefold() in _DEVICES:
        return f"{cleaned}_" if "." not in cleaned else f"_{cleaned}"
    return cleaned


def _kept(character: str) -> str:
    if character in _FORBIDDEN or character.isspace():
        return " "
    return "" if unicodedata.category(character).startswith("C") else character


def _cut(text: str) -> str:
    data = text.encode("utf-8")
    return text if len(data) <= MAX_BYTES else data[:MAX_BYTES].decode("utf-8", "ignore")
