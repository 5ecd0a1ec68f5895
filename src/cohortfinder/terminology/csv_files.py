"""A CSV file to rows that know their file and line; what a spreadsheet did to it is told with its line."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from cohortfinder.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a mapping file, or one element of a FHIR resource, whose `line` is then its path."""

    file: str
    line: int | str
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def key(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the cells that make the row unique."""
        return tuple(self.cells[column] for column in columns)


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a file. Raises ConfigurationError when it is not the table that it should be."""
    reader = csv.reader(StringIO(_text_of(path), newline=""), strict=True)
    try:
        header = next(reader, [])
        if header != list(columns):
            raise ConfigurationError(f"{path}:1: {_wrong_header(header, columns)}")
        for cells in reader:
            if len(cells) != len(columns):
                message = f"{len(cells)} cells where {len(columns)} belong; quote a text that holds a comma"
                raise ConfigurationError(f"{path}:{reader.line_num}: {message}")
            yield Row(str(path), reader.line_num, dict(zip(columns, cells, strict=True)))
    except csv.Error as error:
        raise ConfigurationError(f"{path}:{reader.line_num}: cannot be read as CSV ({error})") from error


def _text_of(path: Path) -> str:
    """Return the text of a file, without the byte order mark that a spreadsheet puts before it."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path}: the mapping file is missing; install cohortfinder again") from error
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigurationError(f"{path}:1: this is UTF-16; save it as CSV in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{content[error.start]:02x} is not UTF-8; save the whole file as CSV in UTF-8"
        raise ConfigurationError(f"{path}:{line}: {message}") from error


def _wrong_header(header: Sequence[str], columns: Sequence[str]) -> str:
    wanted = f"the columns must be {', '.join(columns)}"
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and header[0].split(separator) == list(columns):
            return f"the columns are separated by {name}; save it as CSV with commas"
    return wanted
