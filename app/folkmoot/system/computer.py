"""What the computer says about itself and its person, for proposals on the first start.

Both names are only proposed: nothing leaves the computer before the person has seen them.
"""

from __future__ import annotations

import getpass
import platform
import sys

from folkmoot.domain.errors import UserError
from folkmoot.domain.names import clean_name

_FALLBACK_COMPUTER = "This computer"
_FALLBACK_PERSON = "Somebody"


def computer_name() -> str:
    """The computer's name without its domain."""
    return _name(platform.node().partition(".")[0], _FALLBACK_COMPUTER)


def person_name() -> str:
    """The full name of the account, or its login name."""
    return _name(_account_name(), _name(_login(), _FALLBACK_PERSON))


def _account_name() -> str:
    if sys.platform == "win32":
        return ""
    import os
    import pwd

    try:
        # The first field of the comment is the full name; & stands for the login name.
        account = pwd.getpwuid(os.getuid())
        return account.pw_gecos.split(",")[0].replace("&", account.pw_name.capitalize())
    except KeyError:
        return ""


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _name(found: str, fallback: str) -> str:
    try:
        return clean_name(found[:80])
    except UserError:
        return fallback
