"""Rules for what people type: names, topics, messages, emoji.

The `is_…` rules bind what comes from peers, so they use fixed lists of code points and not the
Unicode tables of one Python version: two nodes must never judge differently. The `clean_…`
functions trim what a person typed and raise `UserError` ``bad_text`` that names the field.
"""

from __future__ import annotations

from folkmoot.domain.errors import UserError

MAX_NAME_LENGTH = 80
MAX_TOPIC_LENGTH = 250
MAX_NOTE_LENGTH = 200
MAX_STATUS_LENGTH = 140
MAX_EMOJI_BYTES = 32
MAX_TEXT_BYTES = 24 * 1024
"""Of a message in UTF-8: with 200 mentions beside it a body still fits into 32 KiB."""

_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_LINE_ENDS = "\u2028\u2029"
_CONTROLS = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0))))
_REFUSED = frozenset(_CONTROLS + _LINE_ENDS + _BIDI)
_SPACES = " \u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_EDGES = _CONTROLS + _LINE_ENDS + _SPACES
_INVISIBLE = frozenset(_SPACES + "\u00ad\u200b\u200c\u200d\u2060\ufeff")


def is_line(text: str, limit: int) -> bool:
    """Whether `text` is at most `limit` characters without controls, line ends or bidi controls."""
    return len(text) <= limit and _REFUSED.isdisjoint(text)


def is_name(text: str) -> bool:
    """Whether `text` may name a team, channel, person or computer: 1 to 80 visible characters."""
    return is_line(text, MAX_NAME_LENGTH) and text.strip(_SPACES) == text and _is_visible(text)


def is_emoji(text: str) -> bool:
    """Whether `text` may be a reaction: 1 to 32 bytes of UTF-8, no spaces, no controls."""
    return 0 < len(text.encode()) <= MAX_EMOJI_BYTES and (_REFUSED | set(_SPACES)).isdisjoint(text)


def is_text(text: str) -> bool:
    """Whether `text` may be a message's: at most 24 KiB of UTF-8, no NUL. Empty is allowed."""
    return "\0" not in text and len(text.encode()) <= MAX_TEXT_BYTES


def clean_name(text: str, field: str = "name") -> str:
    """A team's, person's or computer's name, trimmed."""
    name = text.strip(_EDGES)
    if not name or not _is_visible(name):
        raise UserError("bad_text", f"The {field} is empty.", "Type at least one letter.")
    return _line(name, MAX_NAME_LENGTH, field)


def clean_channel_name(text: str) -> str:
    """A channel's name: trimmed, a leading # dropped, lower-cased, runs of spaces made to ``-``."""
    return clean_name("-".join(text.lstrip("#" + _EDGES).lower().split()), "channel name")


def clean_topic(text: str) -> str:
    """A topic, trimmed and on one line; it may be empty."""
    return _line(" ".join(text.split()), MAX_TOPIC_LENGTH, "topic")


def clean_note(text: str) -> str:
    """The note beside a request to join, on one line; it may be empty."""
    return _line(" ".join(text.split()), MAX_NOTE_LENGTH, "note")


def clean_status(text: str) -> str:
    """The words beside a person's presence, on one line; they may be empty."""
    return _line(" ".join(text.split()), MAX_STATUS_LENGTH, "status")


def clean_text(text: str) -> str:
    """A message's text: line ends made to ``\\n``, empty lines around it and trailing space gone.

    Leading spaces stay: they may be code.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip().lstrip("\n")
    if not lines or not _is_visible(lines):
        raise UserError("bad_text", "The text is empty.", "Type something to send.")
    if "\0" in lines:
        raise UserError("bad_text", "The text holds a NUL character.", "Remove it.")
    try:
        size = len(lines.encode())
    except UnicodeEncodeError as error:
        raise UserError("bad_text", "The text holds half a character.", "Remove it.") from error
    if size > MAX_TEXT_BYTES:
        raise UserError(
            "bad_text",
            f"The text is too long: {size} bytes, and {MAX_TEXT_BYTES} fit into one message.",
            "Split it into several messages.",
        )
    return lines


def clean_emoji(text: str) -> str:
    """One emoji for a reaction."""
    emoji = text.strip()
    try:
        good = is_emoji(emoji)
    except UnicodeEncodeError:
        good = False
    if not good:
        raise UserError("bad_text", "The emoji cannot be used.", "Choose one from the list.")
    return emoji


def _is_visible(text: str) -> bool:
    return not _INVISIBLE.issuperset(text)


def _line(text: str, limit: int, field: str) -> str:
    if len(text) > limit:
        raise UserError(
            "bad_text",
            f"The {field} is too long: {len(text)} characters, and {limit} are allowed.",
            "Shorten it.",
        )
    if not is_line(text, limit) or any("\ud800" <= c <= "\udfff" for c in text):
        raise UserError(
            "bad_text",
            f"The {field} holds a control character.",
            "Type it anew, without pasting.",
        )
    return text
