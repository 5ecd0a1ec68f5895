"""The steps `screen TRIAL`: each configured trial over the store, its outputs into the folder of the run."""

import csv
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from cohortfinder.disk import write_durably
from cohortfinder.errors import ConfigurationError, InputError
from cohortfinder.jobs.answers import NO_ANSWERS
from cohortfinder.jobs.night.guards import unreadable
from cohortfinder.jobs.night.said import read_review
from cohortfinder.jobs.night.under_way import Night
from cohortfinder.jobs.screen import ScreenResult, screen_store
from cohortfinder.model import Answers, Trial
from cohortfinder.nightly_settings import ONLY_TRIAL
from cohortfinder.ranking.other_studies import OtherStudy, other_trials
from cohortfinder.report.html import IN_FULL
from cohortfinder.review.facts import Said, facts_of
from cohortfinder.runs.record import FAILED, run_folder
from cohortfinder.runs.snapshots import PARTIAL, current_run, read_manifest, snapshot_folder
from cohortfinder.runs.tidy import STATE, last_state
from cohortfinder.site import SiteFile
from cohortfinder.trials.answers import parse_answers, with_rows

TRIALS, INPUTS = "trials", "inputs"
# the best first
CANDIDATES = ("eligible", "possible")
TRIAL_FILE, ANSWERS_FILE, ELSEWHERE_FILE = "trial.yaml", "answers.csv", "elsewhere.csv"


def outputs_of(night: Night, trial: str) -> Path:
    """Return where a run puts the outputs of a trial."""
    return run_folder(night.settings.store, night.record.run_id) / TRIALS / trial


def screen_trials(night: Night) -> None:
    """Screen every trial; one whose answers are wrong does not keep the others from being screened."""
    read_review(night)
    for name, trial in night.trials.items():
        with night.step(f"screen {trial.id}") as step:
            folder = outputs_of(night, trial.id)
            try:
                given = _inputs(night, trial, folder / INPUTS)
            except InputError as error:
                shutil.rmtree(folder, ignore_errors=True)
                night.refuse(unreadable(name, error))
                step.state, step.message = FAILED, "its answers cannot be read"
                continue
            write_durably(folder / INPUTS / ELSEWHERE_FILE, _elsewhere(night, trial))
            state = folder / (STATE + PARTIAL)
            result = screen_store(
                trial, night.known, night.settings, as_of=night.as_of, out=folder, in_full=IN_FULL, answers=given,
                elsewhere=read_elsewhere(folder / INPUTS), take_up=last_state(night.settings.store, trial.id),
                keep=state, log=night.log,
            )  # fmt: skip
            # of a night that is killed before this the next one takes up nothing
            state.replace(folder / STATE)
            for file in folder.rglob("*"):
                file.chmod(0o700 if file.is_dir() else 0o600)
            night.record.trials[trial.id] = _told(name, trial, given, result)
            step.counts = {**_statuses(result), **_asked(result), **_said(given)}
            for warning in result.screening.warnings:
                night.warn(warning)


def answers_file(night: Night, trial: Trial) -> SiteFile | None:
    """Return the file of people's answers of a trial.

    Raises ConfigurationError when it is not said of which trial it is.
    """
    files = night.settings.nightly.answers
    if ONLY_TRIAL in files and len(night.settings.trials) > 1:
        raise ConfigurationError(
            f"{files[ONLY_TRIAL].place}: several trials are configured; name the file of each: "
            f'answers = {{{trial.id} = "answers.csv"}}'
        )
    return files.get(trial.id) or files.get(ONLY_TRIAL)


def _inputs(night: Night, trial: Trial, folder: Path) -> Answers:
    """Keep the trial file and what people have answered as they are tonight, and return the answers.

    Raises InputError when there is no such file of answers, TrialError with everything that is wrong in it.
    """
    write_durably(folder / TRIAL_FILE, Path(trial.source).read_bytes())
    content, answers = _of_file(night, trial)
    facts = facts_of(trial, night.said.get(trial.id, Said()), night.names)
    for warning in facts.warnings:
        night.warn(warning)
    if facts.rows:
        content = with_rows(content, facts.rows)
        answers = parse_answers(content, source=str(folder / ANSWERS_FILE), trial=trial)
    if content:
        write_durably(folder / ANSWERS_FILE, content)
    return answers


def _of_file(night: Night, trial: Trial) -> tuple[bytes, Answers]:
    """Return the file of answers that is configured, and what it says; nothing where none is."""
    if (given := answers_file(night, trial)) is None:
        return b"", NO_ANSWERS
    try:
        content = given.path.read_bytes()
    except OSError as error:
        raise InputError(f"{given.place}: the file of answers {given.path} cannot be read; correct its path") from error
    return content, parse_answers(content, source=str(given.path), trial=trial)


def _elsewhere(night: Night, trial: Trial) -> bytes:
    """Return who is a candidate of the other trials by the list that holds, and as what at best, as CSV."""
    best: dict[tuple[str, str], str] = {}
    if (holds := current_run(night.settings.store)) is not None:
        published = snapshot_folder(night.settings.store, holds)
        for other in read_manifest(published).trials:
            for patient, status in _candidates(published / other) if other != trial.id else ():
                best[patient, other] = min(status, best.get((patient, other), status), key=CANDIDATES.index)
    text = StringIO(newline="")
    csv.writer(text).writerows((patient, other, status) for (patient, other), status in sorted(best.items()))
    return text.getvalue().encode()


def _candidates(folder: Path) -> Iterator[tuple[str, str]]:
    with (folder / "candidates.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["status"] in CANDIDATES:
                yield row["patient_id"], row["status"]


def read_elsewhere(folder: Path) -> Mapping[str, tuple[OtherStudy, ...]]:
    """Return who was a candidate of other trials when a run screened."""
    with (folder / ELSEWHERE_FILE).open(encoding="utf-8", newline="") as stream:
        return other_trials((patient, trial, status) for patient, trial, status in csv.reader(stream))


def _told(name: str, trial: Trial, given: Answers, result: ScreenResult) -> dict[str, Any]:
    statuses = _statuses(result)
    return {
        "name": name,
        "trial_sha256": trial.sha256,
        "mappings_sha256": result.screening.run["mappings_sha256"],
        "answers_sha256": given.sha256 if given.source else None,
        "candidates": statuses["eligible"] + statuses["possible"],
        **{status: statuses[status] for status in ("eligible", "possible", "excluded")},
    }


def _said(given: Answers) -> dict[str, int]:
    """Return how much people have answered, where they have."""
    return {"answers": len(given.answers), "outcomes": len(given.outcomes)} if given.source else {}


def _asked(result: ScreenResult) -> dict[str, int]:
    """Return how many patients were asked again, where the night went on from the last one."""
    asked = result.screening.run["patients_asked_again"]
    return {} if asked is None else {"asked_again": asked}


def _statuses(result: ScreenResult) -> Counter[str]:
    return Counter(one.status for one in result.screening.candidates)
