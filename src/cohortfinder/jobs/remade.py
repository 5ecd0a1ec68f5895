"""Stores that are made again from landing files of a store, beside it: for a replay, and to merge loads.

Who makes one has the lock `replay.lock`, so that nobody merges the landing files of a replay meanwhile.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cohortfinder.disk import link_or_copy, remove
from cohortfinder.jobs.load import LANDING, QUARANTINE
from cohortfinder.landing.manifest import read_manifest
from cohortfinder.runs.lock import REPLAY, only_one
from cohortfinder.runs.tidy import REPLAYED
from cohortfinder.warehouse.connection import make_private


@contextmanager
def remade(store: Path) -> Iterator[Path]:
    """Yield an empty folder on the disk of the store, and remove it, also what a killed process has left there.

    Raises LockedError when somebody else has it.
    """
    with only_one(store / REPLAY, "is replaying a run, or merging or changing landing files"):
        scratch = store / REPLAYED
        remove(scratch)
        make_private(scratch)
        try:
            yield scratch
        finally:
            remove(scratch)


def take_over(folders: Iterable[Path], store: Path, scratch: Path) -> None:
    """Link landing files, which nobody changes, into a store of its own, with the lines that landing has refused.

    What the tables refuse they refuse again, but for the lines of merged loads, which are in quarantine alone.
    """
    for place in (scratch, scratch / LANDING, scratch / QUARANTINE):
        make_private(place)
    for folder in folders:
        shutil.copytree(folder, scratch / LANDING / folder.name, copy_function=link_or_copy)
        manifest = read_manifest(folder)
        refused = [f"{load_id}.ndjson" for load_id in manifest.load_ids]
        refused += [f"{load_id}.tables.ndjson" for load_id in manifest.load_ids if manifest.merged]
        for name in refused:
            if (file := store / QUARANTINE / name).is_file():
                shutil.copyfile(file, scratch / QUARANTINE / name)
