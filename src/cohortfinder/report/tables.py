"""Rows of a screening as a table for programs: plain Python, Arrow, pandas or Polars, whichever is installed."""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from cohortfinder.errors import UsageError
from cohortfinder.report.cells import Cell
from cohortfinder.report.csv_files import CANDIDATES, FUNNEL, FUNNEL_PEOPLE, candidate_cells
from cohortfinder.report.screening import Screening
from cohortfinder.report.verdict_files import VERDICTS, verdict_cells

# what a column holds where no value of it is there to tell
_EMPTY: Mapping[str, type] = MappingProxyType(
    {
        "rank": int,
        "fails_only": int,
        "eligible_from": date,
        "last_contact": date,
        "changes_on": date,
        "stops_on": date,
        "calibrated": float,
    }
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the columns of one of the files, and real types: numbers, dates, truth values, None.

    Iterating gives a dict a row. `arrow`, `pandas` and `polars` need the extra of that name.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Cell]]:
        """Yield each row by its columns."""
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)

    def arrow(self) -> Any:
        """Return a pyarrow.Table.

        Raises UsageError where pyarrow is not installed.
        """
        arrow = _library("pyarrow", "arrow")
        kinds = {
            str: arrow.string(),
            int: arrow.int64(),
            float: arrow.float64(),
            bool: arrow.bool_(),
            date: arrow.date32(),
        }
        columns = [[row[place] for row in self.rows] for place in range(len(self.columns))]
        fields = [
            arrow.field(name, kinds[_kind(name, values)]) for name, values in zip(self.columns, columns, strict=True)
        ]
        return arrow.table(columns, schema=arrow.schema(fields))

    def pandas(self) -> Any:
        """Return a pandas.DataFrame, whose numbers stay whole where some are missing.

        Raises UsageError where pandas is not installed.
        """
        pandas, arrow = _library("pandas", "pandas"), _library("pyarrow", "pandas")
        kinds = {
            arrow.int64(): pandas.Int64Dtype(),
            arrow.bool_(): pandas.BooleanDtype(),
            arrow.string(): pandas.StringDtype(),
        }
        return self.arrow().to_pandas(types_mapper=kinds.get)

    def polars(self) -> Any:
        """Return a polars.DataFrame.

        Raises UsageError where Polars is not installed.
        """
        polars = _library("polars", "polars")
        return polars.from_arrow(self.arrow())


def candidates(screening: Screening) -> Table:
    """Return the ranked list, as candidates.csv."""
    return Table("candidates", CANDIDATES, tuple(candidate_cells(screening)))


def verdicts(screening: Screening) -> Table:
    """Return the verdicts that the screening holds, as verdicts.parquet."""
    rows = ((*verdict_cells(row)[:-1], row.changes_on) for row in screening.verdicts)
    return Table("verdicts", VERDICTS, tuple(rows))


def funnel(screening: Screening) -> Table:
    """Return the funnel of each arm, as funnel.csv."""
    return Table("funnel", FUNNEL, tuple(map(astuple, screening.funnel)))


def people(screening: Screening) -> Table:
    """Return the funnel of the whole trial, as funnel_people.csv."""
    return Table("people", FUNNEL_PEOPLE, tuple(map(astuple, screening.people)))


def _kind(name: str, values: Sequence[Cell]) -> type:
    return next((type(value) for value in values if value is not None), _EMPTY.get(name, str))


def _library(name: str, extra: str) -> Any:
    load: Callable[[str], Any] = importlib.import_module
    try:
        return load(name)
    except ImportError as error:
        raise UsageError(f"{name} is not installed; install cohortfinder[{extra}]") from error
