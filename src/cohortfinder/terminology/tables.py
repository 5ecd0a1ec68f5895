"""CSV files of the mappings to rows that know their file and line, with the complaints gathered."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from cohortfinder.errors import ConfigurationError
from cohortfinder.terminology.csv_files import Row, read_rows

# so many problems are told at once; a file that was damaged as a whole has thousands
MOST = 100


@dataclass(slots=True)
class Complaints:
    """What is wrong in the mapping files, all of it, so that one run shows everything to repair."""

    problems: list[str] = field(default_factory=list)
    postponed: list[str] = field(default_factory=list)

    def add(self, row: Row, message: str) -> None:
        """Note what is wrong in a row."""
        self.note(f"{row.file}:{row.line}", message)

    def note(self, place: str, message: str) -> None:
        """Note what is wrong at a place."""
        self.problems.append(f"{place}: {message}")

    def postpone(self, place: str, message: str) -> None:
        """Note what is wrong unless a terminology server is about to be asked."""
        self.postponed.append(f"{place}: {message}")

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

    def raise_any(self, *, asking: bool = False) -> None:
        """Raise ConfigurationError with every problem, one a line, if there is one.

        `asking`: what is postponed is no problem.
        """
        if problems := self.problems if asking else [*self.problems, *self.postponed]:
            more = f"and {len(problems) - MOST} more" if len(problems) > MOST else ""
            raise ConfigurationError("\n".join([*problems[:MOST], *([more] if more else [])]))


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a site changes in a mapping file: whole rows of ours that no longer hold, and rows that do beside them."""

    columns: tuple[str, ...]
    removed: list[list[str]]
    added: list[list[str]]

    @property
    def cells(self) -> dict[str, list[str]]:
        """The rows that are added, column by column."""
        return {name: [row[place] for row in self.added] for place, name in enumerate(self.columns)}


class MappingFiles:
    """The mapping files of the program and of a site's folders, and what the site changes in each."""

    def __init__(self, shipped: Path, site: Sequence[Path] = ()) -> None:
        self.folders = (shipped, *site)
        self._shipped: dict[str, tuple[Sequence[str], list[Row]]] = {}
        self._final: dict[str, list[Row]] = {}

    def read(self, name: str, columns: Sequence[str], unique: Sequence[str], complaints: Complaints) -> list[Row]:
        """Return the rows of `name` from all folders; a row of a later folder replaces the one with the same key.

        The first folder must hold the file; the others, of a site, may.
        """
        shipped = _distinct(self.folders[0] / name, columns, unique, complaints)
        rows = dict(shipped)
        for folder in self.folders[1:]:
            if (folder / name).is_file():
                rows |= _distinct(folder / name, columns, unique, complaints)
        self._shipped[name] = (columns, list(shipped.values()))
        self._final[name] = list(rows.values())
        return self._final[name]

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a file that was read, as they hold."""
        return self._final[name]

    def put(self, name: str, rows: Sequence[Row]) -> None:
        """Let the rows of a file that was read be others from now on."""
        self._final[name] = list(rows)

    @property
    def names(self) -> frozenset[str]:
        """The files that were read."""
        return frozenset(self._shipped)

    def changes(self) -> dict[str, TableChange]:
        """Return what is not as it ships, by the name of the file."""
        found = {}
        for name, (columns, shipped) in self._shipped.items():
            ours = {id(row) for row in shipped}
            kept = {id(row) for row in self._final[name]} & ours
            removed = [list(row.key(columns)) for row in shipped if id(row) not in kept]
            added = [list(row.key(columns)) for row in self._final[name] if id(row) not in ours]
            if removed or added:
                found[name] = TableChange(tuple(columns), removed, added)
        return found


def _distinct(
    path: Path, columns: Sequence[str], unique: Sequence[str], complaints: Complaints
) -> dict[tuple[str, ...], Row]:
    """Return the rows of one file by their keys; a key that comes twice is noted."""
    rows: dict[tuple[str, ...], Row] = {}
    for row in read_rows(path, columns):
        key = row.key(unique)
        if key in rows:
            complaints.add(row, f"the same row stands in line {rows[key].line}; remove one")
        rows[key] = row
    return rows


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
