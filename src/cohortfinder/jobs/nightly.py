"""The job `nightly`: everything that a hospital schedules and forgets, from the server to the published list.

    pull ──► check ──► screen each trial ──► compare ──► publish ──► compact ──► notify
             guards.py                                   CURRENT     (when it pays)

Whatever ends it, the list that holds is the old one or the new one, and the next night goes on: the pull from its
spool, a load from its landing files; what was screened is screened again. docs/how-to/nightly.md tells the whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cohortfinder.disk import remove
from cohortfinder.errors import CohortFinderError, ConfigurationError, InputError, StoreError, Terminated
from cohortfinder.jobs.front_page import renew_front_page
from cohortfinder.jobs.night.begin import begin, read_inputs
from cohortfinder.jobs.night.bring import bring
from cohortfinder.jobs.night.check import check
from cohortfinder.jobs.night.compact import compact
from cohortfinder.jobs.night.compare import compare
from cohortfinder.jobs.night.notify import tell
from cohortfinder.jobs.night.publish import publish
from cohortfinder.jobs.night.screening import TRIALS, screen_trials
from cohortfinder.jobs.night.subscribers import tell_subscribers
from cohortfinder.jobs.night.under_way import Log, Night, NightOptions, NotPublished
from cohortfinder.runs.lock import NIGHT, only_one
from cohortfinder.runs.notice import Notice, put_notice, take_away_notice
from cohortfinder.runs.record import FAILED, INTERRUPTED, PUBLISHED, REFUSED, RunRecord, moment, run_folder
from cohortfinder.runs.snapshots import current_run, read_manifest, snapshot_folder
from cohortfinder.runs.tidy import prune, tidy
from cohortfinder.settings import Settings
from cohortfinder.stops import stops_told
from cohortfinder.warehouse.connection import make_private


def nightly(
    settings: Settings, options: NightOptions, *, log: Log = lambda _: None, begun: Log = lambda _: None
) -> RunRecord:
    """Run a night, and return its record: published, refused or failed, with what to tell and the exit status.

    `begun` is told the id of the run.
    Raises ConfigurationError when no trial is configured, InputError where nothing was loaded and nothing is to be
    pulled, LockedError when another night runs; then there is no record. What is no error of ours is raised after it
    was noted.
    """
    if not settings.trials:
        raise ConfigurationError(
            'no trial is configured; write trials = ["NCT06983964"] into the configuration, or set COHORTFINDER_TRIALS'
        )
    if settings.fhir is None and not settings.store.is_dir():
        raise InputError(
            f"{settings.store}: there is no store here, and no FHIR server is configured; load FHIR files first: "
            f"cohortfinder load PATH --store {settings.store}"
        )
    make_private(settings.store)
    with only_one(settings.store / NIGHT, "is running a night"):
        for run_id in tidy(settings.store, datetime.now(UTC)):
            log(f"run {run_id} was killed before it published")
        night = begin(settings, options, log)
        begun(night.record.run_id)
        with _noted(night):
            read_inputs(night)
            bring(night)
            check(night)
            screen_trials(night)
            compare(night)
            publish(night)
            compact(night)
        _notify(night)
    return night.record


@contextmanager
def _noted(night: Night) -> Iterator[None]:
    """Bring into the record how a night ends, and into the notice when the list that holds is not its own."""
    try:
        with stops_told():
            yield
    except NotPublished:
        first, *more = sorted(night.record.refusals, key=lambda one: -one.exit_status)
        others = f" ({len(more)} more: {', '.join(one.code for one in more)})" if more else ""
        _conclude(night, REFUSED, first.exit_status, first.message + others)
    except CohortFinderError as error:
        _conclude(night, FAILED, error.exit_status, str(error))
    except OSError as error:
        place = f" at {error.filename}" if error.filename else ""
        _conclude(night, FAILED, 74, f"The disk refused{place}: {error.strerror}; free space or check permissions.")
    except (KeyboardInterrupt, Terminated) as error:
        status = 143 if isinstance(error, Terminated) else 130
        _conclude(night, INTERRUPTED, status, "The night was interrupted; the next one goes on.")
        raise
    except BaseException as error:
        _conclude(night, FAILED, 1, f"Unexpected failure ({type(error).__name__}); run again with --debug.")
        _notify(night)
        raise
    else:
        trials = "1 trial" if len(night.record.trials) == 1 else f"{len(night.record.trials)} trials"
        status = 3 if night.record.warnings else 0
        _conclude(night, PUBLISHED, status, f"Published the lists of {trials} as of {night.record.index_date}.")


def _conclude(night: Night, state: str, exit_status: int, message: str) -> None:
    record, store = night.record, night.settings.store
    # publishing is over when CURRENT names the run, whatever came after that
    holds = _holds(store)
    if state != PUBLISHED and holds == record.run_id:
        state, message = PUBLISHED, f"Published; after that: {message}"
    record.state, record.exit_status, record.message = state, exit_status, message
    record.ended_at = moment(datetime.now(UTC))
    if state == FAILED:
        # half of the outputs help nobody, and on a full disk the record needs their room
        remove(run_folder(store, record.run_id) / TRIALS)
    night.keep()
    if state == PUBLISHED:
        take_away_notice(store)
    else:
        put_notice(store, _notice(record, store, holds))
    renew_front_page(store)
    # where CURRENT is wrong somebody must choose a list, so that none may go
    if holds is not None:
        prune(store, night.settings.nightly.keep)


def _holds(store: Path) -> str | None:
    """Return the run whose list holds, None where there is none or CURRENT names one that is not there."""
    try:
        return current_run(store)
    except StoreError:
        return None


def _notice(record: RunRecord, store: Path, holds: str | None) -> Notice:
    return Notice(
        since=record.started_at,
        reason=record.message or "",
        run_id=record.run_id,
        exit_status=record.exit_status or 1,
        codes=tuple(one.code for one in record.refusals),
        nights=1,
        list_of=holds,
        index_date=read_manifest(snapshot_folder(store, holds)).index_date if holds else None,
    )


def _notify(night: Night) -> None:
    """Tell who wants to know; that it fails changes nothing of the night, and is told."""
    store = night.settings.store
    holds = _holds(store)
    published_at = datetime.fromisoformat(read_manifest(snapshot_folder(store, holds)).made_at) if holds else None
    with night.step("notify") as step:
        told = tell(night.record.summary(), night.settings.nightly, published_at)
        told += tell_subscribers(night.record.summary(), night.settings, datetime.now(UTC))
        failed = [one for one in told if one.problem]
        if failed:
            step.state, step.message = FAILED, "; ".join(f"{one.way}: {one.problem}" for one in failed)
            night.log(f"not everybody was told of this night: {step.message}")
