"""The command `expand`."""

import os
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import settings_of
from cohortfinder.jobs.expand import Expanded, expand_concepts

TOKEN = "COHORTFINDER_TERMINOLOGY_TOKEN"
_NAMED = 10


@click.command("expand")
@click.option("--server", metavar="URL", help="The terminology server; default that of the configuration.")
@click.option("--out", type=click.Path(path_type=Path), help="The file to write; default that of the configuration.")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration, a TOML file.")
@click.option("--json", "as_json", is_flag=True, help="Print one summary object.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(server: str | None, out: Path | None, config: Path | None, as_json: bool, debug: bool) -> int:
    """Ask a terminology server what lies below the codes of the concepts, and keep it for screenings.

    A screening reads the kept file and asks no server. A bearer token is taken from COHORTFINDER_TERMINOLOGY_TOKEN.
    """
    settings = settings_of(config, None)
    expanded = expand_concepts(settings, server=server, out=out, token=os.environ.get(TOKEN), log=progress)
    if as_json:
        print_json(_summary(expanded))
    else:
        click.echo(f"{expanded.file}: {expanded.codes} codes for {expanded.asked - len(expanded.problems)} questions")
    for question, reason in list(expanded.problems.items())[:_NAMED]:
        progress(f"no answer for {question}: {reason}")
    if len(expanded.problems) > _NAMED:
        progress(f"and for {len(expanded.problems) - _NAMED} more, see `problems` in the file")
    return expanded.exit_status


def _summary(expanded: Expanded) -> dict[str, object]:
    return {
        "file": expanded.file,
        "server": expanded.server,
        "questions": expanded.asked,
        "codes": expanded.codes,
        "problems": expanded.problems,
    }
