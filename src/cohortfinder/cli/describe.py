"""The command `describe`."""

from pathlib import Path

import click

from cohortfinder.cli.options import settings_of
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.jobs.screened import concept_labels
from cohortfinder.report.files import write_bytes
from cohortfinder.report.ledger import ledger_html
from cohortfinder.trials.description import describe_trial


@click.command("describe")
@click.argument("trial")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration, a TOML file.")
@click.option("--html", type=click.Path(path_type=Path), help="The HTML page to write instead.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(trial: str, config: Path | None, html: Path | None, debug: bool) -> int:
    """Tell a trial in plain English, and what of it is computed.

    Criterion by criterion: the sentence of the protocol, the rule, how it is read, and how far data can tell.
    """
    settings = settings_of(config, None)
    terminology = read_terminology(settings)
    read = read_trial(trial, terminology, settings)
    if html is None:
        click.echo(describe_trial(read, concept_labels(terminology)), nl=False)
    else:
        write_bytes(html, ledger_html(read, concept_labels(terminology)))
    return 0
