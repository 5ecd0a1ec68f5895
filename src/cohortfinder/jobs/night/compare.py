"""The step `compare`: who entered, left or moved since the list that holds, as diff.csv and diff.json of each trial."""

from collections import Counter

import duckdb

from cohortfinder.errors import InputError, StoreError
from cohortfinder.jobs.diff import diff_runs
from cohortfinder.jobs.night.screening import outputs_of
from cohortfinder.jobs.night.under_way import SKIPPED, Night
from cohortfinder.runs.record import Step
from cohortfinder.runs.snapshots import current_run, snapshot_folder


def compare(night: Night) -> None:
    """Compare each trial with the list that holds, and count the moves in the record."""
    with night.step("compare") as step:
        before = current_run(night.settings.store)
        if before is None:
            step.state, step.message = SKIPPED, "there is no earlier list"
            return
        for trial, told in night.record.trials.items():
            moves = _moves(night, before, trial, step)
            told |= moves
            step.counts[trial] = moves


def _moves(night: Night, before: str, trial: str, step: Step) -> dict[str, int]:
    """Return how many entered, left and moved; nothing where the lists cannot be compared."""
    old = snapshot_folder(night.settings.store, before) / trial
    if not old.is_dir():
        return {}
    try:
        found = diff_runs(old, outputs_of(night, trial), out=outputs_of(night, trial))
    except (InputError, StoreError, duckdb.Error) as error:
        # a list as of a later day, or one that was damaged: the new one does not depend on it
        step.message = f"{trial} could not be compared with the list of {before}"
        night.warn(f"{step.message}: {str(error).splitlines()[0]}")
        return {}
    counted = Counter(one.move for one in found.moves)
    return {"new": counted["entered"], "left": counted["left"], "moved": counted["moved"]}
