"""The command `audit`."""

import sys
from pathlib import Path

import click
import orjson

from cohortfinder.cli.options import settings_of
from cohortfinder.errors import StoreError
from cohortfinder.jobs.audit import accept, lines, verify


@click.command("audit")
@click.argument("action", type=click.Choice(["verify", "export", "accept"]))
@click.option("--store", type=click.Path(path_type=Path), help="The folder of the store.")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration, a TOML file.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(action: str, store: Path | None, config: Path | None, debug: bool) -> int:
    """Check the audit log of the review application, or write it to standard output as one JSON object a line.

    Every entry bears a mark of itself and of the one before it; the newest one is also named in a file beside the
    database. `verify` ends with 65 where an entry was changed, taken out, put in or cut off. `accept` takes the end of
    the log as it is, as after an older backup was put back, and writes that down.
    """
    settings = settings_of(config, store)
    if action == "export":
        for line in lines(settings):
            sys.stdout.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE).decode())
        return 0
    if action == "accept":
        accept(settings)
        click.echo("the end of the log is taken as it is, and that was written down")
        return 0
    if found := verify(settings):
        raise StoreError("the audit log is not as it was written: " + "; ".join(found[:20]))
    click.echo("the audit log is as it was written")
    return 0
