"""The step `compact`: landing without what was superseded, when that is a good part of it."""

from cohortfinder.errors import CohortFinderError, LockedError
from cohortfinder.jobs.compact import landing_state, merge, pays
from cohortfinder.jobs.night.under_way import SKIPPED, Night
from cohortfinder.runs.record import FAILED
from cohortfinder.warehouse.connection import open_warehouse


def compact(night: Night) -> None:
    """Merge old loads where it pays. That it fails changes nothing of the list, and is told as a warning."""
    settings = night.settings
    try:
        with open_warehouse(settings.store, read_only=True) as connection:
            if not pays(landing_state(settings.store, connection), settings.nightly.compact_percent):
                return
        with night.step("compact") as step:
            try:
                done = merge(
                    settings.store, memory_limit=settings.memory_limit, threads=settings.threads, log=night.log
                )  # fmt: skip
            except LockedError as error:
                step.state, step.message = SKIPPED, str(error)
                return
            except CohortFinderError:
                step.state = FAILED
                raise
            if done is not None:
                step.counts = {
                    "loads": done.loads, "superseded": done.resources_before - done.resources,
                    "bytes_before": done.bytes_before, "bytes": done.bytes,
                }  # fmt: skip
    except LockedError as error:
        night.log(f"landing was not looked at: {error}")
    except CohortFinderError as error:
        night.warn(f"Old loads could not be merged, so that landing grows: {error}")
