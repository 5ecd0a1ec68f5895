"""CSV files of the mappings to rows that know their file and line, with the complaints gathered."""

import csv
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from cohortfinder.errors import ConfigurationError, Problem


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a mapping file."""

    file: str
    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def key(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the cells that make the row unique."""
        return tuple(self.cells[column] for column in columns)


@dataclass(slots=True)
class Complaints:
    """What is wrong in the mapping files, all of it, so that one run shows everything to repair."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, row: Row, message: str) -> None:
        """Note what is wrong in a row."""
        self.problems.append(Problem(row.file, row.line, message))

    def require(self, row: Row, column: str, allowed: Collection[str]) -> None:
        """Note a cell that is none of the words allowed there."""
        if row[column] not in allowed:
            words = ", ".join(sorted(word for word in allowed if word))
            self.add(row, f"unknown {column} {row[column]!r}; write one of: {words}")

    def decimal(self, row: Row, column: str) -> Decimal | None:
        """Read a decimal, None for an empty cell; scientific notation is refused, a spreadsheet made it."""
        text = row[column]
        if not text:
            return None
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or "e" in text.lower():
            self.add(row, f"{column} {text!r} is no plain decimal; write for example 0.001")
            return None
        return number

    def whole(self, row: Row, column: str) -> int:
        """Read a number of days."""
        if row[column].isascii() and row[column].isdigit():
            return int(row[column])
        self.add(row, f"{column} {row[column]!r} is no whole number of days")
        return 0

    def raise_any(self) -> None:
        """Raise ConfigurationError with every problem, one a line, if there is one."""
        if self.problems:
            raise ConfigurationError("\n".join(map(str, self.problems)))


def read_table(
    folders: Sequence[Path], name: str, columns: Sequence[str], unique: Sequence[str], complaints: Complaints
) -> list[Row]:
    """Return the rows of `name` from all folders; a row of a later folder replaces the one with the same key.

    The first folder must hold the file; the others, of a site, may.
    """
    rows: dict[tuple[str, ...], Row] = {}
    for position, folder in enumerate(folders):
        path = folder / name
        if position and not path.is_file():
            continue
        own: dict[tuple[str, ...], Row] = {}
        for row in _rows(path, columns):
            key = row.key(unique)
            if key in own:
                complaints.add(row, f"the same row stands in line {own[key].line}; remove one")
            own[key] = row
        rows |= own
    return list(rows.values())


def _rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a file. Raises ConfigurationError when it is not the table that it should be."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            header = next(reader, [])
            if header != list(columns):
                raise ConfigurationError(f"{path}:1: the columns must be {', '.join(columns)}")
            for cells in reader:
                if len(cells) != len(columns):
                    message = f"{len(cells)} cells where {len(columns)} belong; quote a text that holds a comma"
                    raise ConfigurationError(f"{path}:{reader.line_num}: {message}")
                yield Row(str(path), reader.line_num, dict(zip(columns, cells, strict=True)))
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path}: the mapping file is missing; install cohortfinder again") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{path}: cannot be read as a CSV file in UTF-8 ({error})") from error


def group_rows(
    rows: Sequence[Row], known: Collection[str], complaints: Complaints, nearest: Callable[[str], str | None]
) -> dict[str, list[Row]]:
    """Return the rows of each concept; a row that names an unknown concept is noted."""
    groups: dict[str, list[Row]] = {name: [] for name in known}
    for row in rows:
        if row["concept"] in groups:
            groups[row["concept"]].append(row)
        else:
            hint = nearest(row["concept"])
            complaints.add(row, f"unknown concept {row['concept']!r}" + (f"; did you mean {hint!r}?" if hint else ""))
    return groups
