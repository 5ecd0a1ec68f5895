"""The command `view`."""

import csv
import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

import click
import orjson

from cohortfinder.cli.console import progress
from cohortfinder.errors import UsageError
from cohortfinder.jobs.view import ViewRows, view_rows
from cohortfinder.landing.quarantine import Rejected

# So many of the lines that could not be read are named one by one.
_NAMED = 20


def _csv(result: ViewRows) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(result.columns)
    writer.writerows([_cell(value) for value in row] for row in result)


def _cell(value: object) -> object:
    """Write a list as JSON."""
    if isinstance(value, list):
        return orjson.dumps(value, default=_number).decode()
    return _plain(value) if isinstance(value, Decimal) else value


def _objects(result: ViewRows) -> Iterable[str]:
    for row in result:
        yield orjson.dumps(dict(zip(result.columns, row, strict=True)), default=_number).decode()


def _plain(number: Decimal) -> str:
    """Write a number without the zeros that its column has filled it up with."""
    return f"{number.normalize() + 0:f}"


def _number(value: object) -> orjson.Fragment:
    if not isinstance(value, Decimal):
        raise TypeError(type(value).__name__)
    return orjson.Fragment(_plain(value))


def _ndjson(result: ViewRows) -> None:
    for line in _objects(result):
        sys.stdout.write(line + "\n")


def _json(result: ViewRows) -> None:
    before = "["
    for line in _objects(result):
        sys.stdout.write(before + line)
        before = ",\n "
    sys.stdout.write("[]\n" if before == "[" else "]\n")


_PRINTERS: dict[str, Callable[[ViewRows], None]] = {"csv": _csv, "json": _json, "ndjson": _ndjson}


@click.command("view")
@click.argument("definition", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "--format", "form", type=click.Choice([*_PRINTERS, "parquet"]), default="csv", show_default=True,
    help="How rows are written: with a header line, as one array of objects, as an object a line, or into --out.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="The Parquet file to write.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(definition: Path, paths: tuple[Path, ...], form: str, out: Path | None, debug: bool) -> int:
    """Run one SQL on FHIR ViewDefinition (a JSON file) over FHIR files.

    Each PATH is what `load` reads: a Bundle or resource (.json), NDJSON (.ndjson), both also as .gz, or a folder of
    them. Resources of other types than the view's are passed over. No store is needed. What cannot be read is named
    on standard error, with file, line and reason, and the status is then 3.
    """
    if (form == "parquet") != (out is not None):
        raise UsageError("--out FILE goes with --format parquet, and only with it")
    with view_rows(definition, paths) as result:
        if out is None:
            _PRINTERS[form](result)
        else:
            result.write_parquet(out)
        _tell(result.rejected)
        return 3 if result.rejected else 0


def _tell(rejected: tuple[Rejected, ...]) -> None:
    for one in rejected[:_NAMED]:
        progress(f"{one.file}, line {one.line}: {one.reason}")
    if rejected:
        more = f"; the first {_NAMED} are named" if len(rejected) > _NAMED else ""
        progress(f"{len(rejected)} lines or entries could not be read{more}")
