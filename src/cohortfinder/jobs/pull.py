"""The job `pull`: what changed on the FHIR server, by way of the spool, into the store.

    wanted ──► plan of slices ──► spool ──► what follows from it ──► load + watermark, in one transaction
               pulling/plan.py    pulling/fetch.py   pulling/references.py   jobs/load.py

Whatever ends it, the next pull goes on with what is in the spool. docs/explanation/pulling.md tells the whole.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cohortfinder.address import base_address, shown
from cohortfinder.connection import Connection
from cohortfinder.errors import ConfigurationError, ProtocolError, UsageError
from cohortfinder.fhir.capability import read_capability
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.export_question import SYSTEM
from cohortfinder.fhir.pages import IgnoredError
from cohortfinder.fhir.search import Habits, Noted
from cohortfinder.jobs.load import finish_earlier, load_pulled
from cohortfinder.jobs.pulling.errand import SPOOL, Errand
from cohortfinder.jobs.pulling.exports import failed_export, left_out, mode_of, refuse_shrunk
from cohortfinder.jobs.pulling.fetch import Crew
from cohortfinder.jobs.pulling.follow import what_follows
from cohortfinder.jobs.pulling.lock import only_pull
from cohortfinder.jobs.pulling.outcome import PullSummary, complete_types, problems_of, records, summaries
from cohortfinder.jobs.pulling.plan import Circumstances, changes_known, plan_slices, taken_up
from cohortfinder.jobs.pulling.wanted import REFERENCED, Wanted, wanted_of, with_offered_gates
from cohortfinder.jobs.pulling.ways import can_be_swept, ways
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.landing.labels import Labels
from cohortfinder.landing.pulled import Pulled
from cohortfinder.landing.spool import Slice, Spool
from cohortfinder.settings import Settings
from cohortfinder.trials.library import shipped_trials
from cohortfinder.warehouse.connection import make_private, open_warehouse
from cohortfinder.warehouse.state import pull_tokens, pulled_types

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks of a pull. `bulk`: exports or searches, None for what the configuration says."""

    trials: tuple[str, ...] = ()
    patients: tuple[str, ...] | None = None
    full: bool = False
    all_codes: bool = False
    sweep: bool = False
    bulk: bool | None = None
    accept_shrink: bool = False


def pull(
    settings: Settings, options: Options, *, log: Log = lambda _: None, noted: Noted = lambda *_: None
) -> PullSummary:
    """Pull what the trials of a site need and has changed since the last pull.

    `noted` is told of every page. Raises ConfigurationError without a server, LockedError when another process pulls or
    uses the store, IgnoredError when the server passes over a parameter, the errors of the client when nothing could be
    pulled; a slice that fails beside others makes its type incomplete.
    """
    if settings.fhir is None:
        raise ConfigurationError("no FHIR server is configured; write url under [fhir], or set COHORTFINDER_FHIR_URL")
    began, folder = time.monotonic(), settings.store / SPOOL
    make_private(settings.store)
    make_private(folder)
    wanted = _wanted(settings, options, shown(base_address(settings.fhir.url)))
    with only_pull(folder), FhirClient(settings.fhir, log=log, types=wanted.types) as client:
        finish_earlier(settings.store, memory_limit=settings.memory_limit, threads=settings.threads)
        around = _circumstances(settings, options, client)
        if settings.gates.pull is None:
            wanted = with_offered_gates(wanted, around.capability, client.granted())
        errand = Errand(
            store=settings.store,
            client=client,
            wanted=wanted,
            around=around,
            habits=_habits(settings.fhir),
            spool=Spool(folder),
            crew=Crew(settings.fhir.parallel, log=log, hurry=client.stop_waiting),
            log=log,
            told=noted,
        )
        summary = _pulled(errand, options, settings)
    return replace(summary, seconds=round(time.monotonic() - began, 1))


def _pulled(errand: Errand, options: Options, settings: Settings) -> PullSummary:
    left = _left(errand, refused=options.accept_shrink)
    slices = _planned(errand, left)
    continued = [part for part in slices if part in left]
    if continued:
        errand.log("going on with a pull that was interrupted")
    errand.log(f"asking {errand.wanted.server} {len(slices)} questions")
    try:
        errand.crew.fetch(slices, ways(errand))
        if not options.accept_shrink:
            refuse_shrunk(errand, slices)
        slices = what_follows(errand, slices, [part for part in left if part not in slices])
    except IgnoredError:
        errand.spool.clear()
        raise
    return replace(_loaded(errand, slices, settings), notes=_notes(errand), continued=bool(continued))


def _habits(connection: Connection) -> Habits:
    labels = Labels() if connection.exclude_labels is None else Labels(connection.exclude_labels)
    return Habits(page_size=connection.page_size, labels=labels)


def _wanted(settings: Settings, options: Options, server: str) -> Wanted:
    terminology = read_terminology(settings)
    names = options.trials or settings.trials or tuple(shipped_trials())
    trials = [read_trial(name, terminology, settings) for name in names]
    return wanted_of(
        server, trials, terminology,
        all_codes=options.all_codes, patients=options.patients, full=options.full, gates=settings.gates.pull is True,
    )  # fmt: skip


def _circumstances(settings: Settings, options: Options, client: FhirClient) -> Circumstances:
    answer = client.ask("GET", "metadata")
    with open_warehouse(settings.store, read_only=True) as connection:
        pulls = pulled_types(connection)
    return Circumstances(
        capability=read_capability(answer.resource()),
        pulls=pulls,
        started=answer.at or datetime.now(UTC),
        overlap=timedelta(minutes=client.connection.overlap_minutes),
        sweep_every=timedelta(days=client.connection.sweep_days),
        sweep_now=options.sweep,
        level=_level(client.connection, options),
    )


def _level(connection: Connection, options: Options) -> str | None:
    """Return the level of the exports; None for searches. Raises UsageError where an export cannot do what is asked."""
    by_export = connection.export is not None if options.bulk is None else options.bulk
    if by_export and options.patients is not None:
        raise UsageError("single patients cannot be exported; pull them with --search")
    return (connection.export or SYSTEM) if by_export else None


def _notes(errand: Errand) -> tuple[str, ...]:
    """Say what the server cannot do, and what that means."""
    lacking = [kind for kind in errand.wanted.types if kind not in errand.kinds]
    told = [f"The server does not offer {kind}; what rests on it stays unknown." for kind in lacking]
    searched = [kind for kind in errand.kinds if kind not in REFERENCED]
    whole = [kind for kind in searched if not changes_known(kind, errand.around.capability)]
    if whole:
        names = ", ".join(whole)
        told.append(f"The server does not tell what has changed of {names}: all of it is pulled every time.")
    return (*told, *left_out(errand.crew.fetched))


def _left(errand: Errand, *, refused: bool) -> tuple[Slice, ...]:
    """Return the slices that an earlier pull has begun, but for those that reached the tables.

    Without `refused` also but for those that were refused: they are asked for anew.
    """
    plan = errand.spool.read()
    if plan is None or (plan.server, plan.patients) != (errand.wanted.server, errand.wanted.scope):
        return ()
    with open_warehouse(errand.store, read_only=True) as connection:
        loaded = plan.loading if plan.token in pull_tokens(connection) else ()
    left = (part for part in plan.slices if part.number not in loaded and errand.spool.of(part).mark.pages)
    return tuple(part for part in left if refused or not errand.spool.of(part).refused)


def _planned(errand: Errand, left: Sequence[Slice]) -> tuple[Slice, ...]:
    """Plan, with what is left in the place of the same questions, and keep the plan."""
    slices = []
    for part in taken_up(plan_slices(errand.wanted, errand.around), left):
        if part.kind != "sweep" or can_be_swept(errand, part.types[0]):
            slices.append(part)
        else:
            errand.log(f"deletions of {part.types[0]} are not told: some came from files, not from the server")
    errand.keep((*slices, *(part for part in left if part not in slices)))
    return tuple(slices)


def _loaded(errand: Errand, slices: Sequence[Slice], settings: Settings) -> PullSummary:
    """Load the slices of the types that are complete; what others have begun stays for the next pull."""
    fetched, wanted = errand.crew.fetched, errand.wanted
    mode = mode_of(errand.around.level)
    # where the server broke the protocol, going on would end at the same place
    hopeless = {number for number, error in fetched.failed.items() if isinstance(error, ProtocolError)}
    error = failed_export(slices, fetched)
    if error is None and fetched.failed and not fetched.done:
        error = next(iter(fetched.failed.values()))
    if error is not None:
        errand.keep([part for part in slices if part.number not in hopeless])
        raise error
    whole = {*complete_types(errand.kinds, slices, fetched)}
    going = [part for part in slices if {*part.types} <= whole or part.number in fetched.exported]
    recorded = records(wanted, errand.kinds, slices, fetched, errand.around)
    token = uuid.uuid4().hex
    errand.keep(slices, token=token, loading=going)
    loaded = load_pulled(
        errand.files(going), Pulled(token, wanted.server, mode, wanted.scope, recorded), errand.store,
        memory_limit=settings.memory_limit, threads=settings.threads, log=errand.log,
    )  # fmt: skip
    errand.keep([part for part in slices if part not in going and part.number not in hopeless])
    return PullSummary(
        server=wanted.server,
        types=summaries(recorded, loaded),
        problems=problems_of(fetched),
        dropped=sum(mark.dropped for mark in fetched.done.values()),
        quarantined=loaded.quarantined,
        load_id=loaded.load_id,
        reasons=loaded.reasons,
    )
