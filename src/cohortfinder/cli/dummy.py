"""The command `dummy`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cohortfinder.cli.console import print_json, progress
from cohortfinder.cli.options import as_of_option, index_date, settings_of
from cohortfinder.dummy.files import FORMATS
from cohortfinder.jobs.dummy import CASES, DummyResult, Outcome, Wish, dummy
from cohortfinder.jobs.screen import read_terminology, read_trial


@click.command("dummy")
@click.argument("trial")
@click.option(
    "-n", "count", type=click.IntRange(min=1), metavar="PATIENTS",
    help="How many patients; default one for each criterion and verdict.",
)  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("cohortfinder-dummy"), show_default=True,
    help="The folder to write; what an earlier run left in it is replaced.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True,
              help="A Bundle for each patient, or one NDJSON file for each type of resource.")  # fmt: skip
@click.option("--history", type=click.IntRange(0, 40), default=0, show_default=True, metavar="YEARS",
              help="How many years of earlier results, orders and diagnoses each patient has.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Another number makes other histories.")
@as_of_option
@click.option("--config", type=click.Path(path_type=Path), help="The configuration, a TOML file.")
@click.option("--json", "as_json", is_flag=True, help="Print one summary object.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(
    trial: str, count: int | None, out: Path, form: str, history: int, seed: int, as_of: str | None,
    config: Path | None, as_json: bool, debug: bool,
) -> int:  # fmt: skip
    """Invent patients who meet, just miss or leave open each criterion of a trial, from its definition.

    TRIAL is a file, or the id of one that ships. The patients are FHIR R4, marked as test data; each is screened, and
    written only when its criterion gets the verdict that it was made for. cases.yaml holds these verdicts, for the
    command test. The status is 3 when some verdict could not be reached; the summary names it.
    """
    settings = settings_of(config, None)
    terminology = read_terminology(settings)
    read = read_trial(trial, terminology, settings)
    day, wish = index_date(as_of, time_zone=settings.time_zone or read.time_zone), Wish(count, history, seed, form)
    result = dummy(read, terminology, settings, as_of=day, wish=wish, out=out, log=progress)
    if as_json:
        print_json(_summary(result, out))
    else:
        _print(result, out)
    return result.exit_status


def _summary(result: DummyResult, out: Path) -> dict[str, Any]:
    return {
        "trial": result.trial.id, "as_of": str(result.as_of), "out": str(out), "patients": result.written,
        "checked": len(result.made), "cases": str(out / CASES), "reached": [asdict(one) for one in result.reached],
        "missed": [asdict(one) for one in result.missed], "not_possible": result.not_possible,
        "incomplete": result.incomplete, "exit_status": result.exit_status,
    }  # fmt: skip


def _print(result: DummyResult, out: Path) -> None:
    for criterion, never in result.not_possible.items():
        click.echo(f"left to a person: {criterion} is never {' or '.join(never)} by records alone")
    for one in result.missed:
        click.echo(f"not reached: {one.criterion} {one.verdict}: {_instead(one)}")
    for arm, verdicts in result.incomplete.items():
        if verdicts:
            said = ", ".join(f"{name} is {verdict}" for name, verdict in verdicts.items())
            click.echo(f"the typical patient of {arm} does not pass everything: {said}")
    copies = result.written - len(result.made)
    more = f" ({len(result.made)} different ones, which were screened, and {copies} copies)" if copies else ""
    aims = f"{len(result.reached)} of {len(result.outcomes)} verdicts of criteria reached"
    click.echo(f"{result.trial.id} as of {result.as_of}: {result.written} patients{more} in {out}, {aims}.")


def _instead(one: Outcome) -> str:
    return f"they got {', '.join(one.got)}" if one.got else "no records were found that would bring it about"
