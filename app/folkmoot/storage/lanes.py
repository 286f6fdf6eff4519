"""Where storage jobs run: one writer that commits in batches, and a few readers.

A job's result is handed out only after the commit that holds it is durable. Refuses to run a job on
the caller's loop, except in `InlineLanes`, which the simulator uses for the sake of order.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.storage.database import ConnectionRows, Database, driver_of
from folkmoot.storage.faults import fault_of
from folkmoot.storage.rows import Rows

T = TypeVar("T")
Job = Callable[[Rows], Any]
_BATCH_JOBS = 64
_QUEUED_JOBS = 1024
_READERS = 2


@dataclass(slots=True)
class _Outcome:
    """What became of a job: its result, or the error to raise."""

    result: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class _Work:
    """A job on its way to the writer. `frees` says that it makes room on the disk."""

    job: Job
    frees: bool
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class Lanes(Protocol):
    """Runs jobs against one database."""

    async def start(
        self, open_database: Callable[[], Database], forget: Callable[[], None]
    ) -> None:
        """Open the database where jobs will run. `forget` is called after each rollback: what jobs
        keep in memory may then be ahead of what is stored."""
        ...

    async def write(self, job: Callable[[Rows], T], *, frees: bool = False) -> T:
        """Run `job` in a transaction; returns once that is durable. Goes on if the caller is
        cancelled meanwhile."""
        ...

    async def read(self, job: Callable[[Rows], T]) -> T:
        """Run `job` on one snapshot of what is committed."""
        ...

    async def aclose(self) -> None:
        """Finish what is queued and close the database."""
        ...


class Writer:
    """Runs batches of jobs, one transaction a batch, a savepoint a job."""

    def __init__(self, database: Database, forget: Callable[[], None]) -> None:
        self._database = database
        self._forget = forget
        self._connection: Connection = database.engine.connect()
        self._rows = ConnectionRows(self._connection)

    def run(self, jobs: list[tuple[Job, bool]]) -> list[_Outcome]:
        """Outcomes in the order of `jobs`; those without an error are on disk."""
        try:
            outcomes = self._transaction([job for job, _ in jobs])
        except EnvironmentFault as fault:
            outcomes = [_Outcome(error=fault) for _ in jobs]
            if fault.code == "disk_full" and any(frees for _, frees in jobs):
                self._database.give_back_reserve()
                for at, (job, frees) in enumerate(jobs):
                    if frees:
                        outcomes[at] = self._alone(job)
        return outcomes

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _alone(self, job: Job) -> _Outcome:
        try:
            return self._transaction([job])[0]
        except EnvironmentFault as fault:
            return _Outcome(error=fault)

    def _transaction(self, jobs: list[Job]) -> list[_Outcome]:
        """One transaction; raises `EnvironmentFault` if it could not be committed as a whole."""
        driver = driver_of(self._connection)
        try:
            driver.execute("BEGIN IMMEDIATE")
            outcomes = [self._one(driver, job) for job in jobs]
            driver.execute("COMMIT")
        except (sqlite3.Error, DBAPIError) as error:
            self._undo(driver)
            fault = fault_of(error)
            if fault is None:
                return [_Outcome(error=error) for _ in jobs]
            raise fault from error
        return outcomes

    def _one(self, driver: sqlite3.Connection, job: Job) -> _Outcome:
        driver.execute("SAVEPOINT job")
        try:
            result = job(self._rows)
        except Exception as error:
            if fault_of(error) is not None:
                raise
            self._forget()
            driver.execute("ROLLBACK TO job")
            driver.execute("RELEASE job")
            return _Outcome(error=error)
        driver.execute("RELEASE job")
        return _Outcome(result=result)

    def _undo(self, driver: sqlite3.Connection) -> None:
        self._forget()
        if driver.in_transaction:
            driver.execute("ROLLBACK")


class InlineLanes:
    """Runs every job at once on the caller's thread: the simulator's, where order is everything."""

    def __init__(self) -> None:
        self._database: Database | None = None
        self._writer: Writer | None = None

    async def start(
        self, open_database: Callable[[], Database], forget: Callable[[], None]
    ) -> None:
        """Open the database."""
        self._database = open_database()
        self._writer = Writer(self._database, forget)

    async def write(self, job: Callable[[Rows], T], *, frees: bool = False) -> T:
        """Run and commit `job`."""
        if self._writer is None:
            raise _closed()
        outcome = self._writer.run([(job, frees)])[0]
        if outcome.error is not None:
            raise outcome.error
        result: T = outcome.result
        return result

    async def read(self, job: Callable[[Rows], T]) -> T:
        """Run `job` on what is committed."""
        if self._database is None:
            raise _closed()
        return _read(self._database, job)

    async def aclose(self) -> None:
        """Close the database."""
        if self._writer is not None and self._database is not None:
            self._writer.close()
            self._database.dispose()
        self._writer = self._database = None


class ThreadLanes:
    """One writer thread and a few reader threads beside the node's loop."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(_QUEUED_JOBS)
        self._thread: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._database: Database | None = None
        self._closed: asyncio.Future[None] | None = None
        self._ending = False

    async def start(
        self, open_database: Callable[[], Database], forget: Callable[[], None]
    ) -> None:
        """Start the threads and open the database in the writer's."""
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[Database] = loop.create_future()
        self._closed = loop.create_future()
        self._thread = threading.Thread(
            target=self._write_all,
            args=(open_database, forget, loop, opened, self._closed),
            name="folkmoot-writer",
            daemon=True,
        )
        self._thread.start()
        self._database = await opened
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="folkmoot-reader")

    async def write(self, job: Callable[[Rows], T], *, frees: bool = False) -> T:
        """Queue `job`; waits for room first when very much is queued."""
        if self._database is None:
            raise _closed()
        async with self._room:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[T] = loop.create_future()
            self._work.put(_Work(job, frees, loop, future))
            return await future

    async def read(self, job: Callable[[Rows], T]) -> T:
        """Run `job` in a reader thread."""
        database, readers = self._database, self._readers
        if database is None or readers is None:
            raise _closed()
        async with self._room:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(readers, _read, database, job)

    async def aclose(self) -> None:
        """Finish what is queued, then close the database and end the threads."""
        if self._database is None or self._closed is None or self._readers is None:
            return
        self._database = None
        readers, self._readers = self._readers, None
        await asyncio.get_running_loop().run_in_executor(None, readers.shutdown)
        self._work.put(None)
        await asyncio.shield(self._closed)

    def _write_all(
        self,
        open_database: Callable[[], Database],
        forget: Callable[[], None],
        loop: asyncio.AbstractEventLoop,
        opened: asyncio.Future[Database],
        closed: asyncio.Future[None],
    ) -> None:
        try:
            database = open_database()
        except Exception as error:  # noqa: BLE001 - belongs to the caller of `start`
            _tell(loop, [(opened, _Outcome(error=error))])
            return
        writer = Writer(database, forget)
        _tell(loop, [(opened, _Outcome(result=database))])
        while batch := self._next_batch():
            outcomes = writer.run([(work.job, work.frees) for work in batch])
            told: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], _Outcome]]] = {}
            for work, outcome in zip(batch, outcomes, strict=True):
                told.setdefault(work.loop, []).append((work.future, outcome))
            for waiting, results in told.items():
                _tell(waiting, results)
        writer.close()
        database.dispose()
        _tell(loop, [(closed, _Outcome())])

    def _next_batch(self) -> list[_Work]:
        """What is queued, at most a batch; [] at the end."""
        if self._ending:
            return []
        batch: list[_Work] = []
        work = self._work.get()
        while work is not None:
            batch.append(work)
            if len(batch) == _BATCH_JOBS or self._work.empty():
                return batch
            work = self._work.get()
        self._ending = True
        return batch


def _read(database: Database, job: Callable[[Rows], T]) -> T:
    try:
        with database.engine.connect() as connection:
            rows = ConnectionRows(connection)
            rows.run("BEGIN")  # ended by the pool, which rolls back what is given back
            return job(rows)
    except (sqlite3.Error, DBAPIError) as error:
        raise fault_of(error) or error from error


def _tell(
    loop: asyncio.AbstractEventLoop, results: list[tuple[asyncio.Future[Any], _Outcome]]
) -> None:
    """Settle futures on their own loop, all with one wake-up; a loop that is gone needs none."""
    try:
        loop.call_soon_threadsafe(_settle, results)
    except RuntimeError:
        return


def _settle(results: list[tuple[asyncio.Future[Any], _Outcome]]) -> None:
    for future, outcome in results:
        if future.done():  # whoever waited was cancelled; what was written stays written
            continue
        if outcome.error is not None:
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome.result)


def _closed() -> EnvironmentFault:
    return EnvironmentFault("store_closed", "The store is closed.", "Start the program again.")
