"""Values to the cells of a CSV table (RFC 4180) of which a spreadsheet runs none."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

# what a spreadsheet would run as a formula, also behind a tab or a line break
_FORMULA_STARTS = frozenset("=+-@\t\r\n")
Cell = str | int | float | bool | date | None


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """Return a CSV table in UTF-8 with CRLF line ends."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8")


def safe(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run."""
    return f"'{text}" if text[:1] in _FORMULA_STARTS else text


def _cell(value: Cell) -> str:
    """Write a value."""
    if isinstance(value, str):
        return safe(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return str(value)
