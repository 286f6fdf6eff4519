"""One SQLite file behind an SQLAlchemy engine: opening, checking, schema steps, the reserve.

Refuses a file of a newer program, a damaged one and a folder that cannot be written to, each as an
`EnvironmentFault`. Durable means WAL with ``synchronous=FULL``.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from folkmoot import __version__
from folkmoot.domain.updates import version_key
from folkmoot.storage.faults import damaged, fault_of, newer
from folkmoot.storage.rows import SCHEMA_VERSION, Row

_SIGN = f"INSERT OR REPLACE INTO meta VALUES ('program', x'{__version__.encode().hex()}');"
"""Who made a schema step, for the words of an older program that finds the file."""
_RESERVE_BYTES = 1024 * 1024
_CHECK_S = 0.25
"""A look through the file after an unclean end takes no longer than this."""


def driver_of(connection: Connection) -> sqlite3.Connection:
    """The driver's connection behind one of the engine's pool."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _signature(driver: sqlite3.Connection) -> str:
    """The version of the program that made the last schema step; empty if it cannot be told."""
    try:
        row = driver.execute("SELECT value FROM meta WHERE key = 'program'").fetchone()
        text = bytes(row[0]).decode() if row else ""
    except (sqlite3.Error, TypeError, ValueError):
        return ""
    return text if version_key(text) is not None else ""


class ConnectionRows:
    """`Rows` on a connection of the engine's pool.

    Statements go straight to the driver: there are some twenty in storing one message, and the
    engine's own way to pass a text on costs 20 µs each, five times the statement.
    """

    def __init__(self, connection: Connection) -> None:
        self._driver = driver_of(connection)

    def all(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Every row of a query."""
        return self._driver.execute(sql, parameters).fetchall()

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Execute a statement."""
        self._driver.execute(sql, parameters)

    def many(self, sql: str, rows: Sequence[Row]) -> None:
        """Execute a statement once for each of `rows`."""
        if rows:
            self._driver.executemany(sql, rows)


class Database:
    """An open store file. `path` ``:memory:`` makes one that only this object sees."""

    def __init__(self, path: str | Path) -> None:
        """Open, check and bring up to date. Raises `EnvironmentFault`."""
        self.in_memory = str(path) == ":memory:"
        self.path = Path(path)
        self._refuse_newer()
        unclean = self._left_open()
        pool = StaticPool if self.in_memory else QueuePool
        self.engine: Engine = create_engine("sqlite://", creator=self._connect, poolclass=pool)
        try:
            with self.engine.connect() as connection:
                if unclean:
                    self._look_through(connection)
                self._step_up(connection)
        except (DBAPIError, sqlite3.Error) as error:
            self.engine.dispose()
            raise fault_of(error) or error from error
        except BaseException:
            self.engine.dispose()
            raise
        self.keep_reserve()

    def _refuse_newer(self) -> None:
        """Look at the version before anything is opened that could write, be it a checkpoint.

        What cannot be read in this way is told of when it is opened.
        """
        if self.in_memory or not self.path.exists():
            return
        uri = f"{self.path.resolve().as_uri()}?mode=ro"
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(uri, uri=True)) as connection,
        ):
            self._check_version(connection)

    def _check_version(self, driver: sqlite3.Connection) -> int:
        """How many schema steps the file has seen. Raises `EnvironmentFault` ``store_newer``."""
        version = int(driver.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise newer(self.path, _signature(driver))
        return version

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            str(self.path), isolation_level=None, check_same_thread=False, timeout=5.0
        )
        try:
            for pragma in (
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                "secure_delete = ON",
                "temp_store = MEMORY",
                "cache_size = -16384",
                "journal_size_limit = 16777216",
            ):
                connection.execute(f"PRAGMA {pragma}").fetchall()
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _left_open(self) -> bool:
        """Whether the last owner ended without closing: its write-ahead log is still there."""
        if self.in_memory:
            return False
        try:
            return os.stat(f"{self.path}-wal").st_size > 0
        except OSError:
            return False

    def _look_through(self, connection: Connection) -> None:
        """Look for damage for a short while; what takes longer is found when it is read."""
        driver = driver_of(connection)
        end = time.monotonic() + _CHECK_S
        driver.set_progress_handler(lambda: int(time.monotonic() > end), 10_000)
        try:
            first = driver.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                return
            raise
        finally:
            driver.set_progress_handler(None, 0)
        if first != ("ok",):
            raise damaged()

    def _step_up(self, connection: Connection) -> None:
        """Run the numbered schema steps that the file has not seen, each in one transaction."""
        driver = driver_of(connection)
        version = self._check_version(driver)
        for step in range(version + 1, SCHEMA_VERSION + 1):
            text = resources.files("folkmoot.storage").joinpath(f"schema/{step:03}.sql").read_text()
            try:
                driver.executescript(
                    f"BEGIN IMMEDIATE;\n{text}\n{_SIGN}\nPRAGMA user_version = {step};\nCOMMIT;"
                )
            except sqlite3.Error:
                driver.rollback()
                raise
        driver.execute("BEGIN IMMEDIATE")  # finds a folder that can be read but not written
        driver.rollback()

    def size_bytes(self) -> int:
        """Bytes of the file and its write-ahead log."""
        if self.in_memory:
            return 0
        total = 0
        for name in (str(self.path), f"{self.path}-wal"):
            with contextlib.suppress(OSError):
                total += os.stat(name).st_size
        return total

    @property
    def _reserve(self) -> Path:
        return self.path.with_name(self.path.name + ".reserve")

    def keep_reserve(self) -> None:
        """Hold some disk space, so that a delete still has room when the disk is full."""
        if self.in_memory or self._reserve.exists():
            return
        try:
            with open(self._reserve, "xb") as file:
                file.write(b"\0" * _RESERVE_BYTES)
        except OSError:
            self.give_back_reserve()

    def give_back_reserve(self) -> bool:
        """Free the reserve; False if there was none."""
        try:
            self._reserve.unlink()
        except OSError:
            return False
        return True

    def dispose(self) -> None:
        """Close every connection; the last one empties the write-ahead log."""
        self.engine.dispose()
