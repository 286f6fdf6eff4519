"""Links of Folkmoot as they come from outside: a browser, the system, another program.

Such a link is data of somebody who may be anybody. Refuses what is too long and what holds a space
or a control character; which links there are, is not known here. An invitation is a secret, so no
words of an error repeat the link.
"""

from __future__ import annotations

import re

from folkmoot.domain.errors import UserError

SCHEME = "folkmoot:"
MAX_URL_LENGTH = 4096
_FORM = re.compile(r"folkmoot://[!-~]+", re.ASCII)


def is_url(text: str) -> bool:
    """Whether `text` wants to be a link of Folkmoot, right or wrong."""
    return text[: len(SCHEME)].lower() == SCHEME


def check_url(text: str) -> str:
    """`text` with its scheme in small letters, if it has the form of a link.

    Raises `UserError` ``wrong_link``.
    """
    if len(text) > MAX_URL_LENGTH:
        raise _wrong(f"A link of Folkmoot has at most {MAX_URL_LENGTH} characters.")
    link = text[: len(SCHEME)].lower() + text[len(SCHEME) :]
    if _FORM.fullmatch(link) is None:
        raise _wrong("A link of Folkmoot begins with folkmoot:// and has no spaces in it.")
    return link


def _wrong(message: str) -> UserError:
    return UserError("wrong_link", message, "Copy the whole link, and nothing else.")
