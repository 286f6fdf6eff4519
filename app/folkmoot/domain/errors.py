"""The one tree of errors, with a branch for each who must act.

Refuses nothing by itself; an exception outside this tree is a bug of ours and reaches the top hook.
"""

from __future__ import annotations


class FolkmootError(Exception):
    """Base of every error that is expected to happen.

    `code` is stable and machine-readable (``port_taken``), `message` says what happened in words a
    person understands, `hint` says what to do about it. All three go to the screen and to the API.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class UserError(FolkmootError):
    """The person asked for something that cannot be done, and can mend it."""


class PeerError(FolkmootError):
    """The other side is wrong: drop its input or its link, log the reason, keep running."""


class EnvironmentFault(FolkmootError):
    """Disk, device or network failed: retry, or explain and wait."""


class Lacking(EnvironmentFault):
    """A check of the self-test found that this copy of Folkmoot cannot do what it has to."""

    def __init__(self, words: str) -> None:
        super().__init__("lacking", words)
