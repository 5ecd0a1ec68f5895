"""On which published list each patient first stood, kept in the review store: who is new since a last visit."""

from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select

from cohortfinder.review.store.database import Database
from cohortfinder.review.store.tables import APPEARANCE
from cohortfinder.runs.snapshots import LISTS, read_manifest
from cohortfinder.warehouse.published import PublishedLists


def note_appearances(database: Database, folder: Path) -> int:
    """Note who stands on a published list for the first time, and return how many these are.

    Raises StoreError, ReadWriteError.
    """
    manifest, noted = read_manifest(folder), 0
    with closing(PublishedLists(folder / LISTS)) as lists:
        listed = {trial: {row.patient_id for row in lists.candidates(trial)} for trial in manifest.trials}
    at = datetime.fromisoformat(manifest.made_at)
    with database.writing() as connection:
        for trial, patients in listed.items():
            known = connection.execute(select(APPEARANCE.c.patient_id).where(APPEARANCE.c.trial == trial)).scalars()
            new = sorted(patients.difference(known))
            rows = [{"trial": trial, "patient_id": one, "run_id": manifest.run_id, "at": at} for one in new]
            if rows:
                connection.execute(insert(APPEARANCE), rows)
            noted += len(rows)
    return noted
