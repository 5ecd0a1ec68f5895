"""The list that holds, opened once; when a night publishes another one, the next page sees that."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from threading import Lock

from cohortfinder.errors import StoreError
from cohortfinder.landing.identity import Identity
from cohortfinder.model import Criterion, Trial
from cohortfinder.review.store.keys import Keys
from cohortfinder.runs.notice import Notice, read_notice
from cohortfinder.runs.snapshots import (
    LISTS,
    MANIFEST,
    SnapshotManifest,
    current_run,
    read_manifest,
    snapshot_folder,
    snapshot_ids,
)
from cohortfinder.warehouse.identities import IDENTITIES, read_identities
from cohortfinder.warehouse.published import ListedRow, PublishedLists

TRIAL_FILE = "trial.yaml"
# how many lists are held open: that which holds, and those that it is compared with
_HELD = 3


@dataclass(frozen=True)
class TrialList:
    """Who is listed for one trial, the trial itself as it was screened, and the names that addresses use."""

    trial: Trial
    rows: tuple[ListedRow, ...]
    missing: Mapping[tuple[str, str], tuple[str, ...]]
    patients: Mapping[str, str]
    names: Mapping[str, str]
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def criteria(self) -> Mapping[str, Criterion]:
        """The criteria by their ids."""
        return {one.id: one for one in self.trial.criteria}

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many rows have each status."""
        return Counter(row.status for row in self.rows)

    @cached_property
    def missing_counts(self) -> Sequence[tuple[str, int]]:
        """Of how many rows each criterion is missing."""
        return sorted(Counter(one for ids in self.missing.values() for one in ids).items())

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
    version: tuple[int, int]
    manifest: SnapshotManifest
    lists: PublishedLists
    name_of: Callable[[str, str], str] = field(repr=False)
    read_trial: Callable[[Path], Trial] = field(repr=False)
    _read: dict[str, TrialList] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def run_id(self) -> str:
        """The run that made it."""
        return self.manifest.run_id

    @cached_property
    def identities(self) -> Mapping[str, Identity]:
        """Who the listed people are, and those of whom somebody had said something; a page asks `Asked.identity`."""
        return read_identities(self.folder / IDENTITIES)

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
        others: dict[str, list[str]] = {}
        for patient, other in self.lists.other_trials(trial):
            others.setdefault(patient, []).append(other)
        names = {row.patient_id: self.name_of(trial, row.patient_id) for row in rows}
        return TrialList(
            trial=self.read_trial(self.folder / trial / TRIAL_FILE),
            rows=rows,
            missing={key: tuple(found) for key, found in missing.items()},
            patients={name: patient for patient, name in names.items()},
            names=names,
            others={patient: tuple(found) for patient, found in others.items()},
        )


class Published:
    """What a store has published. Threads share it. `read_trial` reads a trial file as the site screens it."""

    def __init__(self, store: Path, keys: Keys, read_trial: Callable[[Path], Trial]) -> None:
        self._store, self._keys, self._read_trial = store, keys, read_trial
        self._open: dict[str, Snapshot] = {}
        # what stays the same from list to list is made once, so that a new one is open in a moment
        self._trials: dict[str, Trial] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._lock = Lock()

    def current(self) -> Snapshot | None:
        """Return the list that holds, None while none was published. Raises StoreError, ReadWriteError."""
        run_id = current_run(self._store)
        return None if run_id is None else self.of(run_id)

    def of(self, run_id: str) -> Snapshot:
        """Return the list of a run, as it is now: one from which somebody was erased is opened anew.

        Raises StoreError when it is not kept any more.
        """
        folder = snapshot_folder(self._store, run_id)
        with self._lock:
            version = _version(folder)
            held = self._open.get(run_id)
            if held is None or held.version != version:
                if held is not None:
                    # while the old file is open DuckDB would give it again under the same name
                    held.lists.close()
                # pages that are being made keep what they have; DuckDB closes it when nobody holds it
                others = [one for one in self._open.values() if one.run_id != run_id]
                held = Snapshot(
                    folder, version, read_manifest(folder), PublishedLists(folder / LISTS), self._name, self._trial
                )
                self._open = {one.run_id: one for one in (*others[1 - _HELD :], held)}
            return held

    def open_all(self) -> None:
        """Read the list that holds of every trial, so that nobody waits for that. Raises StoreError, ReadWriteError."""
        if (snapshot := self.current()) is not None:
            for trial in snapshot.manifest.trials:
                snapshot.of(trial)

    def kept(self) -> tuple[str, ...]:
        """Return the runs whose lists are kept, oldest first."""
        return snapshot_ids(self._store)

    def notice(self) -> Notice | None:
        """Return why the list that holds is not that of last night, None when it is."""
        return read_notice(self._store)

    def _name(self, trial: str, patient_id: str) -> str:
        """Return the name of a patient in addresses."""
        known = self._names.get((trial, patient_id))
        if known is None:
            known = self._names[trial, patient_id] = self._keys.candidate(trial, patient_id)
        return known

    def _trial(self, file: Path) -> Trial:
        """Read a trial file once, however many lists were made with it."""
        content = sha256(file.read_bytes()).hexdigest()
        if content not in self._trials:
            self._trials[content] = self._read_trial(file)
        return self._trials[content]


def _version(folder: Path) -> tuple[int, int]:
    """Return what differs when the manifest of a list was written anew. Raises StoreError when it is not there."""
    try:
        told = (folder / MANIFEST).stat()
    except OSError as error:
        raise StoreError(f"{folder}: this list is not kept any more") from error
    return told.st_ino, told.st_mtime_ns
