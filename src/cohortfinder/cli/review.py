"""The command `review`."""

from dataclasses import replace
from pathlib import Path

import click

from cohortfinder.cli.console import progress
from cohortfinder.cli.logs import LOGS
from cohortfinder.cli.options import settings_of
from cohortfinder.jobs.review import address_of, review
from cohortfinder.jobs.review_demo import FOLDER, review_demo
from cohortfinder.settings import Settings


@click.command("review")
@click.option("--listen", metavar="HOST:PORT", help="Where it listens; default as configured, else 127.0.0.1:8421.")
@click.option("--demo", is_flag=True, help="Serve the invented sample patients, with a demo account, to this machine.")
@click.option("--store", type=click.Path(path_type=Path), help="The folder of the store.")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration, a TOML file.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(listen: str | None, demo: bool, store: Path | None, config: Path | None, debug: bool) -> int:
    """Serve the published lists to the study teams, who answer, decide and write notes.

    Accounts are made with `cohortfinder accounts`, or by the OpenID provider of the site.
    """
    settings = settings_of(config, store)
    if listen is not None:
        settings = replace(settings, review=replace(settings.review, listen=listen))
    review(_demo(settings, store) if demo else settings, log=LOGS.say)
    return 0


def _demo(settings: Settings, store: Path | None) -> Settings:
    shown = review_demo(store or FOLDER, settings, log=progress)
    click.echo(f"{address_of(shown.settings.review)} login {shown.login}, password {shown.password}")
    return shown.settings
