"""Find the patients who could join a clinical trial, over a hospital's FHIR R4 data, with the reasons."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cohortfinder.jobs.load import LoadSummary
    from cohortfinder.jobs.result import Result

__version__ = "0.1.0"


def load(paths: str | Path | Iterable[str | Path], *, store: str | Path) -> "LoadSummary":
    """Load FHIR files and folders into a store, which is made where there is none, as `cohortfinder load` does.

    Raises the errors of `cohortfinder.errors`.
    """
    # every command imports this package, and not all of them need the engine
    from cohortfinder.jobs.load import load as run

    several = [paths] if isinstance(paths, str | Path) else paths
    return run([Path(path) for path in several], Path(store))


def screen(
    trial: str | Path,
    *,
    store: str | Path | None = None,
    as_of: str | date | None = None,
    config: str | Path | None = None,
    answers: str | Path | None = None,
    out: str | Path | None = None,
    everyone: bool = False,
) -> "Result":
    """Screen a store for a trial, as `cohortfinder screen` does, and return the list, the verdicts and the funnel.

    `trial` is a file or the id of one that ships; `as_of` the index date, by default today in the site's time zone;
    with `out` the files are written, too. Raises the errors of `cohortfinder.errors`.
    """
    from cohortfinder.jobs.result import screen as run

    return run(trial, store=store, as_of=as_of, config=config, answers=answers, out=out, everyone=everyone)
