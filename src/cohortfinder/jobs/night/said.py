"""What study teams have said in the review application, read once for a night, before its first trial is screened."""

from contextlib import closing

from cohortfinder.errors import CohortFinderError
from cohortfinder.jobs.night.guards import unread_review
from cohortfinder.jobs.night.under_way import Night
from cohortfinder.review.facts import read_said
from cohortfinder.review.lists.appearances import note_appearances
from cohortfinder.review.store.database import has_database, open_database
from cohortfinder.runs.snapshots import snapshot_folder


def read_review(night: Night) -> None:
    """Read what was answered and decided; where that cannot be read, nothing is published unless that is accepted."""
    settings = night.settings
    if not has_database(settings.store, settings.review):
        return
    try:
        with closing(open_database(settings.store, settings.review)) as database, database.reading() as connection:
            night.said, night.names = read_said(connection, [trial.id for trial in night.trials.values()])
    except CohortFinderError as error:
        night.refuse(unread_review(error))


def note_new(night: Night) -> None:
    """Note in the review store who is listed for the first time; the list holds also where that cannot be written."""
    settings = night.settings
    if not has_database(settings.store, settings.review):
        return
    try:
        with closing(open_database(settings.store, settings.review)) as database:
            note_appearances(database, snapshot_folder(settings.store, night.record.run_id))
    except CohortFinderError as error:
        night.warn(f"Who is new on this list is not marked in the review application: {error}")
