"""The list that holds, opened once; when a night publishes another one, the next page sees that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock

from cohortfinder.errors import StoreError
from cohortfinder.model import Criterion, Trial
from cohortfinder.review.store.keys import Keys
from cohortfinder.runs.notice import Notice, read_notice
from cohortfinder.runs.snapshots import LISTS, SnapshotManifest, current_run, read_manifest, snapshot_folder
from cohortfinder.warehouse.published import ListedRow, PublishedLists

TRIAL_FILE = "trial.yaml"


@dataclass(frozen=True)
class TrialList:
    """Who is listed for one trial, the trial itself as it was screened, and the names that addresses use."""

    trial: Trial
    rows: tuple[ListedRow, ...]
    missing: Mapping[tuple[str, str], tuple[str, ...]]
    patients: Mapping[str, str]
    names: Mapping[str, str]

    @cached_property
    def criteria(self) -> Mapping[str, Criterion]:
        """The criteria by their ids."""
        return {one.id: one for one in self.trial.criteria}

    @cached_property
    def rows_of(self) -> Mapping[str, tuple[ListedRow, ...]]:
        """The rows of each patient, one for each arm, the best first."""
        found: dict[str, list[ListedRow]] = {}
        for row in self.rows:
            found.setdefault(row.patient_id, []).append(row)
        return {patient: tuple(rows) for patient, rows in found.items()}


@dataclass
class Snapshot:
    """One published list of all trials. The list of a trial is read when somebody first asks for it."""

    folder: Path
    manifest: SnapshotManifest
    lists: PublishedLists
    keys: Keys
    read_trial: Callable[[Path], Trial] = field(repr=False)
    _read: dict[str, TrialList] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def run_id(self) -> str:
        """The run that made it."""
        return self.manifest.run_id

    def of(self, trial: str) -> TrialList | None:
        """Return the list of a trial, None where the trial was not screened in this run."""
        if trial not in self.manifest.trials:
            return None
        with self._lock:
            if trial not in self._read:
                self._read[trial] = self._list_of(trial)
            return self._read[trial]

    def _list_of(self, trial: str) -> TrialList:
        rows = self.lists.candidates(trial)
        missing: dict[tuple[str, str], list[str]] = {}
        for one in self.lists.missing(trial):
            missing.setdefault((one.patient_id, one.arm), []).append(one.criterion_id)
        names = {row.patient_id: self.keys.candidate(trial, row.patient_id) for row in rows}
        return TrialList(
            trial=self.read_trial(self.folder / trial / TRIAL_FILE),
            rows=rows,
            missing={key: tuple(found) for key, found in missing.items()},
            patients={name: patient for patient, name in names.items()},
            names=names,
        )


class Published:
    """What a store has published. Threads share it. `read_trial` reads a trial file as the site screens it."""

    def __init__(self, store: Path, keys: Keys, read_trial: Callable[[Path], Trial]) -> None:
        self._store, self._keys, self._read_trial = store, keys, read_trial
        self._open: dict[str, Snapshot] = {}
        self._lock = Lock()

    def current(self) -> Snapshot | None:
        """Return the list that holds, None while none was published. Raises StoreError, ReadWriteError."""
        run_id = current_run(self._store)
        return None if run_id is None else self.of(run_id)

    def of(self, run_id: str) -> Snapshot:
        """Return the list of a run. Raises StoreError when it is not kept any more."""
        with self._lock:
            if run_id not in self._open:
                folder = snapshot_folder(self._store, run_id)
                if not folder.is_dir():
                    raise StoreError(f"{folder}: this list is not kept any more")
                # pages that are being made keep what they have; it is closed when nobody holds it
                self._open = dict(list(self._open.items())[-1:])
                self._open[run_id] = Snapshot(
                    folder, read_manifest(folder), PublishedLists(folder / LISTS), self._keys, self._read_trial
                )
            return self._open[run_id]

    def notice(self) -> Notice | None:
        """Return why the list that holds is not that of last night, None when it is."""
        return read_notice(self._store)
