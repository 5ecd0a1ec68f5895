"""The command `doctor`."""

import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import settings_of
from cohortfinder.errors import ConfigurationError
from cohortfinder.jobs.doctor import SAMPLE, doctor, misconfigured
from cohortfinder.report.diagnosis import Diagnosis
from cohortfinder.report.doctor_page import doctor_html
from cohortfinder.report.files import write_bytes

_WIDTH = 100
_WORDS = {"fine": "ok", "note": "note", "warning": "WARNING", "error": "STOP"}


@click.command("doctor")
@click.option("--html", "page", type=click.Path(path_type=Path), metavar="FILE", help="Write a page to send.")
@click.option("--sample", type=click.IntRange(1, 1000), default=SAMPLE, help="How many of each type; default 50.")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration, a TOML file.")
@click.option("--json", "as_json", is_flag=True, help="Print one summary object.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(page: Path | None, sample: int, config: Path | None, as_json: bool, debug: bool) -> int:
    """Look at everything between this machine and the data of the FHIR server, and say what to do.

    It reads only: nothing is changed on the server, and no patient's data is shown, only shares of a sample.
    """
    diagnosis = _examined(config, sample)
    if page is not None:
        write_bytes(page, doctor_html(diagnosis))
        progress(f"written: {page}")
    if as_json:
        print_json(diagnosis.record())
    else:
        for line in told(diagnosis):
            click.echo(line)
    return diagnosis.exit_status


def _examined(config: Path | None, sample: int) -> Diagnosis:
    try:
        settings = settings_of(config, None)
    except ConfigurationError as error:
        return misconfigured(error, _now())
    return doctor(settings, now=_now, sample_size=sample, log=progress)


def told(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield the lines of a diagnosis: each part of the way, then what to ask for, then all in one sentence."""
    for section in diagnosis.sections:
        if not section.findings:
            continue
        yield section.title
        for one in section.findings:
            yield from _wrapped(f"  {_WORDS[one.severity]:<9}{one.check}: {one.what}", indent=11)
            if one.todo:
                yield from _wrapped(f"{'':11}To do: {one.todo}", indent=18)
        yield ""
    if diagnosis.questions:
        yield "To ask the team of the server"
        for number, question in enumerate(diagnosis.questions, start=1):
            yield from _wrapped(f"  {f'{number}.':<4}{question}", indent=6)
        yield ""
    yield diagnosis.verdict


def _wrapped(line: str, *, indent: int) -> list[str]:
    return textwrap.wrap(
        line, _WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)
