"""The job `replay`: a past run made again from what it was made of, and its lists compared byte for byte.

landing folders of the run ──► a store of its own ──► screen each trial ──► the files of the snapshot
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from cohortfinder import __version__
from cohortfinder.errors import InputError, StoreError
from cohortfinder.gates import GateSettings, read_gates
from cohortfinder.jobs.answers import NO_ANSWERS
from cohortfinder.jobs.load import LANDING, finish_earlier
from cohortfinder.jobs.night.screening import ANSWERS_FILE, INPUTS, TRIAL_FILE, TRIALS, read_elsewhere
from cohortfinder.jobs.remade import remade, take_over
from cohortfinder.jobs.screen import read_terminology, screen_store
from cohortfinder.landing.manifest import landed
from cohortfinder.model import Answers, Override, Overrides, Trial
from cohortfinder.ranking.other_studies import OtherStudy
from cohortfinder.report.html import IN_FULL
from cohortfinder.runs.record import RunRecord, read_record, run_folder, run_ids
from cohortfinder.runs.snapshots import snapshot_folder, snapshot_ids
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology
from cohortfinder.trials.answers import parse_answers
from cohortfinder.trials.parser import parse_trial

COMPARED = ("candidates.csv", "verdicts.csv", "funnel.csv")
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay has found. `differences` say which file differs from which line on; none: the lists are equal."""

    run_id: str
    index_date: str
    loads: int
    trials: tuple[str, ...]
    files: int
    bytes: int
    differences: tuple[str, ...]

    @property
    def exit_status(self) -> int:
        """0, or 65 when a list is not the same."""
        return 65 if self.differences else 0


def replay(settings: Settings, run_id: str, *, log: Log = lambda _: None) -> Replayed:
    """Evaluate a published run again, from its landing files, trials, answers, parameters and index date.

    Raises InputError when there is no such run, StoreError when something that it was made of is gone or another one:
    landing files, the version of the program, the mappings, or a file of the site.
    """
    record = _record(settings.store, run_id)
    terminology, own = _as_it_was(settings, record)
    with remade(settings.store) as scratch:
        folders = _landing_folders(settings.store, record)
        log(f"making the tables of {run_id} again from {len(folders)} loads")
        take_over(folders, settings.store, scratch)
        finish_earlier(scratch, memory_limit=settings.memory_limit, threads=settings.threads)
        own = replace(own, store=scratch)
        outputs = {}
        for trial_id in sorted(record.trials):
            trial, answers = _trial(settings.store, record, trial_id, terminology, own)
            outputs[trial_id] = scratch / "out" / trial_id
            screen_store(
                trial, terminology, own, as_of=date.fromisoformat(record.index_date), out=outputs[trial_id],
                in_full=IN_FULL, answers=answers, elsewhere=_elsewhere(settings.store, record, trial_id), log=log,
            )  # fmt: skip
        published = snapshot_folder(settings.store, run_id)
        pairs = [(published / one / name, outputs[one] / name) for one in outputs for name in COMPARED]
        return Replayed(
            run_id=run_id,
            index_date=record.index_date,
            loads=len(folders),
            trials=tuple(outputs),
            files=len(pairs),
            bytes=sum(again.stat().st_size for _, again in pairs),
            differences=tuple(_differences(pairs)),
        )


def _record(store: Path, run_id: str) -> RunRecord:
    kept = [one for one in snapshot_ids(store) if one in run_ids(store)]
    if run_id not in kept:
        told = ", ".join(kept) or "there is none yet"
        raise InputError(f"{run_id}: no list of this run is kept, so nothing can be compared; kept are: {told}")
    return read_record(store, run_id)


def _as_it_was(settings: Settings, record: RunRecord) -> tuple[Terminology, Settings]:
    """Return mappings and settings as the run had them. Raises StoreError when they cannot be had."""
    if record.versions["cohortfinder"] != __version__:
        raise StoreError(
            f"{record.run_id} was made by cohortfinder {record.versions['cohortfinder']}, and this is {__version__}; "
            "replay it with that version"
        )
    was = record.replay
    own = replace(
        settings,
        parameters=_overrides(was["parameters"]),
        gates=_gates(settings.gates, was["gates"]),
        site=replace(settings.site, text_terms=was["text_terms"]),
    )
    terminology = read_terminology(own)
    inputs = {**terminology.inputs, **read_gates(own.gates).inputs}
    if changed := sorted(
        name for name in {*inputs, *was["site_inputs"]} if inputs.get(name) != was["site_inputs"].get(name)
    ):
        raise StoreError(f"{record.run_id} was made with other files of the site: {', '.join(changed)}; put those back")
    if terminology.sha256 != record.versions["mappings_sha256"]:
        raise StoreError(
            f"{record.run_id} was made with other mappings; replay it with the program as it was that night"
        )
    return terminology, own


def _overrides(was: dict[str, Any]) -> Overrides:
    place = "the record of the run"
    common = {name: Override(value, place) for name, value in was["common"].items()}
    by_trial = {
        trial: {name: Override(value, place) for name, value in values.items()}
        for trial, values in was["by_trial"].items()
    }
    return Overrides(common, by_trial)


def _gates(now: GateSettings, was: dict[str, Any]) -> GateSettings:
    labels = was["test_labels"]
    return replace(
        now,
        restricted=tuple(frozenset(one) for one in was["restricted"]),
        test_labels=None if labels is None else tuple(frozenset(one) for one in labels),
    )


def _landing_folders(store: Path, record: RunRecord) -> list[Path]:
    """Return the landing folders of a run. Raises StoreError when one is not there any more, or not whole."""
    folders, found = list[Path](), set[str]()
    for folder, manifest in landed(store / LANDING):
        parts = [folder / part.file for kind in manifest.types for part in kind.parts]
        if found.isdisjoint(manifest.load_ids) and {*manifest.load_ids}.issubset(record.load_ids) and _are_there(parts):
            folders.append(folder)
            found.update(manifest.load_ids)
    if missing := sorted({*record.load_ids} - found):
        raise StoreError(
            f"{store / LANDING / missing[0]}: these landing files, of which {record.run_id} was made, are not there "
            "any more (purged, or merged with later ones); restore them from a backup to replay it"
        )
    return folders


def _are_there(files: list[Path]) -> bool:
    return all(file.is_file() for file in files)


def _trial(
    store: Path, record: RunRecord, trial_id: str, terminology: Terminology, settings: Settings
) -> tuple[Trial, Answers]:
    """Return a trial and people's answers as the run has kept them. Raises StoreError when they are not what it had."""
    folder, told = run_folder(store, record.run_id) / TRIALS / trial_id / INPUTS, record.trials[trial_id]
    file = folder / TRIAL_FILE
    try:
        text = file.read_text(encoding="utf-8")
        answered = (folder / ANSWERS_FILE).read_bytes() if told["answers_sha256"] else None
    except OSError as error:
        raise StoreError(f"{error.filename}: this file, of which {record.run_id} was made, is not there") from error
    trial = parse_trial(text, source=str(file), terminology=terminology, overrides=settings.parameters)
    answers = NO_ANSWERS
    if answered is not None:
        answers = parse_answers(answered, source=str(folder / ANSWERS_FILE), trial=trial)
    if trial.sha256 != told["trial_sha256"] or (answers.sha256 or None) != told["answers_sha256"]:
        raise StoreError(f"{folder}: what {record.run_id} was made of was changed since; restore it from a backup")
    return trial, answers


def _elsewhere(store: Path, record: RunRecord, trial_id: str) -> Mapping[str, tuple[OtherStudy, ...]]:
    """Return whom the run marked as listed for other trials. Raises StoreError when that is not there."""
    folder = run_folder(store, record.run_id) / TRIALS / trial_id / INPUTS
    try:
        return read_elsewhere(folder)
    except (OSError, ValueError) as error:
        raise StoreError(f"{folder}: whom {record.run_id} marked cannot be read; restore it from a backup") from error


def _differences(pairs: list[tuple[Path, Path]]) -> Iterator[str]:
    for published, again in pairs:
        with published.open("rb") as one, again.open("rb") as other:
            if line := _first_difference(one, other):
                yield f"{published.parent.name}/{published.name}: line {line} is another one"


def _first_difference(one: Any, other: Any) -> int | None:
    """Return the first line in which two files differ, None when they are equal."""
    number = 0
    while True:
        number += 1
        line, again = one.readline(), other.readline()
        if line != again:
            return number
        if not line:
            return None
