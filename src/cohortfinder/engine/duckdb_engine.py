"""Runs the statements of a plan on DuckDB: shared tables in a workspace beside the warehouse, criteria side by side."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar
from uuid import uuid4

import duckdb
from duckdb import DuckDBPyConnection

from cohortfinder.engine.plan import Statement
from cohortfinder.sql.environment import Rendered, render

Item = TypeVar("Item")


class DuckDBEngine:
    """One connection to a warehouse, whose typed tables are only read.

    What is made goes into a workspace in memory that lives as long as the connection: tables that every worker sees,
    and TEMP tables that one worker keeps for itself. Names without a schema are looked up among the TEMP tables, then
    in the workspace, then in the warehouse.
    """

    def __init__(self, connection: DuckDBPyConnection, search_path: str | None = None) -> None:
        self.connection = connection
        if search_path is None:
            # a name of its own: connections of one process to one file share what is attached
            workspace = f"work_{uuid4().hex}"
            schemas = self.rows("engine/schemas.sql.jinja")
            self.run_template("engine/attach.sql.jinja", workspace=workspace)
            search_path = ",".join([f"{workspace}.main", *(name for (name,) in schemas)])
        self.search_path = search_path
        self.run_template("engine/search_path.sql.jinja", path=search_path)

    @classmethod
    def of(cls, connection: DuckDBPyConnection) -> "DuckDBEngine":
        """Return an engine for a connection on which another one has worked: it sees the tables of that workspace."""
        ((path,),) = cls.rows_of(connection, "engine/current_path.sql.jinja")
        return cls(connection, str(path))

    @property
    def workspace(self) -> str:
        """The name of the database in memory that has the tables which every worker sees."""
        return self.search_path.partition(".")[0]

    @property
    def takes_many(self) -> bool:
        """Whether a statement may ask many leaves: before DuckDB 2 a LATERAL of windows and lambdas fails to bind."""
        return int(duckdb.__version__.partition(".")[0]) >= 2

    def run(self, rendered: Rendered) -> None:
        """Run one statement."""
        self.connection.execute(rendered.text, rendered.parameters)

    def run_all(self, statements: Iterable[Statement]) -> None:
        """Run statements in their order."""
        for statement in statements:
            self.run(statement.rendered)

    def run_template(self, template: str, /, **values: Any) -> None:
        """Render a template of queries/ and run it."""
        self.run(render(template, **values))

    def rows(self, template: str, /, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows that a template of queries/ selects; of one that makes a table, how many rows that has."""
        return self.rows_of(self.connection, template, **values)

    @staticmethod
    def rows_of(connection: DuckDBPyConnection, template: str, /, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a template on a connection as it stands."""
        rendered = render(template, **values)
        return connection.execute(rendered.text, rendered.parameters).fetchall()

    def each(self, items: Iterable[Item], work: Callable[["DuckDBEngine", Item], None]) -> None:
        """Do the work for every item, as many at a time as DuckDB has threads, on workers with their own TEMP tables.

        Planning a statement takes longer than running it on the few rows of one criterion, and only statements side by
        side plan on several cores.
        """
        with _single_threaded(self) as threads:
            workers = [DuckDBEngine(self.connection.cursor(), self.search_path) for _ in range(threads)]
            try:
                _share_out(workers, items, work)
            finally:
                for worker in workers:
                    worker.connection.close()


def _share_out(workers: list[DuckDBEngine], items: Iterable[Item], work: Callable[[DuckDBEngine, Item], None]) -> None:
    idle: SimpleQueue[DuckDBEngine] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def one(item: Item) -> None:
        worker = idle.get()
        try:
            work(worker, item)
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(len(workers)) as pool:
        try:
            for done in as_completed([pool.submit(one, item) for item in items]):
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.connection.interrupt()
            raise


@contextmanager
def _single_threaded(engine: DuckDBEngine) -> Iterator[int]:
    """Let each statement run on the thread that sends it, and yield how many threads DuckDB had before."""
    ((threads,),) = engine.rows("warehouse/threads.sql.jinja")
    engine.run_template("engine/set_threads.sql.jinja", threads=1)
    try:
        yield threads
    finally:
        engine.run_template("engine/set_threads.sql.jinja", threads=threads)
