"""What commands print: results on standard output, progress on standard error, one JSON object with --json."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
import orjson

from cohortfinder.cli.logs import LOGS


def progress(message: str) -> None:
    """Say on standard error what is being done."""
    LOGS.say(message)


def print_json(summary: Any) -> None:
    """Print one summary object."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
    sys.stdout.write(orjson.dumps(summary, default=str, option=options).decode())


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns; an empty cell is a dash."""
    cells = [[str(cell) if cell not in (None, "") else "-" for cell in row] for row in rows]
    widths = [max(len(row[index]) for row in [list(header), *cells]) for index in range(len(header))]
    for row in [list(header), *cells]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
