"""Runs the statements of a plan on a DuckDB connection."""

from collections.abc import Iterable
from typing import Any

from duckdb import DuckDBPyConnection

from cohortfinder.engine.plan import Statement
from cohortfinder.sql.environment import Rendered, render


class DuckDBEngine:
    """One connection to a warehouse; everything it makes is temporary, the typed tables are only read."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self.connection = connection

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

    def is_empty(self, table: str) -> bool:
        """Say whether a table that a statement made has no row."""
        return not self.connection.table(table).limit(1).fetchall()

    def holds(self, template: str, /, **values: Any) -> bool:
        """Return the one truth value that a template of queries/ selects."""
        rendered = render(template, **values)
        return self.connection.execute(rendered.text, rendered.parameters).fetchall() == [(True,)]
