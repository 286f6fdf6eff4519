"""The few ways in which storage code speaks to a connection.

Everything that reads or writes takes a `Rows`, so that the same statements run through SQLAlchemy
in the node and through the plain driver for the first paint. SQL text only; no objects are mapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

Row = tuple[Any, ...]
SCHEMA_VERSION = 3
"""How many schema steps there are; here, since the first paint asks without SQLAlchemy."""
_PARAMETERS = 500
"""Values in one IN list; far under SQLite's own limit."""


class Rows(Protocol):
    """A connection inside a transaction."""

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Every row of a query."""
        ...

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Execute a statement."""
        ...

    def many(self, sql: str, rows: Sequence[Row]) -> None:
        """Execute a statement once for each of `rows`; nothing for none."""
        ...


def one(rows: Rows, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
    """The first row of a query, or None."""
    found = rows.all(sql, parameters)
    return found[0] if found else None


def among(rows: Rows, sql: str, values: Iterable[Any], before: Sequence[Any] = ()) -> Iterator[Row]:
    """Rows of a query whose ``(??)`` is a list of `values`, however many; `before` binds first."""
    listed = list(values)
    for at in range(0, len(listed), _PARAMETERS):
        part = listed[at : at + _PARAMETERS]
        marks = ",".join("?" * len(part))
        yield from rows.all(sql.replace("??", marks), (*before, *part))
