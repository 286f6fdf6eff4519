"""What the computer says about itself and its person, for proposals on the first start.

Both names are only proposed: nothing leaves the computer before the person has seen them.
"""

from __future__ import annotations

import os
import sys

from folkmoot.domain.errors import UserError
from folkmoot.domain.names import clean_name

_FALLBACK_COMPUTER = "This computer"
_FALLBACK_PERSON = "Somebody"
_NOBODY = frozenset({"root", "Administrator", "admin", "guest", "nobody", ""})
"""Accounts that are a task, not a person."""


def computer_name() -> str:
    """The computer's name without its domain."""
    node = os.environ.get("COMPUTERNAME", "") if sys.platform == "win32" else os.uname().nodename
    return _name(node.partition(".")[0], _FALLBACK_COMPUTER)


def full_name() -> str:
    """The full name of the account's person; empty when it names nobody."""
    full, login = _account()
    return "" if login in _NOBODY else _name(full, "")


def person_name() -> str:
    """A name for a node that nobody can ask: the full name, or the login name."""
    full, login = _account()
    return _name(full, _name(login, _FALLBACK_PERSON))


def _account() -> tuple[str, str]:
    """(full name, login name) of the account that runs this, each empty if unknown."""
    if sys.platform == "win32":
        return "", os.environ.get("USERNAME", "")
    import pwd

    try:
        account = pwd.getpwuid(os.getuid())
    except KeyError:
        return "", os.environ.get("USER", "")
    # The first field of the comment is the full name; & stands for the login name.
    full = account.pw_gecos.split(",")[0].replace("&", account.pw_name.capitalize())
    return full, account.pw_name


def _name(found: str, fallback: str) -> str:
    try:
        return clean_name(found[:80])
    except UserError:
        return fallback
