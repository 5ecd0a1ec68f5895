"""The step `check`: the store, the mappings and the clock against the list that holds, before a new one is made."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import orjson

from cohortfinder.disk import write_durably
from cohortfinder.engine.plan import concepts_asked
from cohortfinder.engine.sources import codes_of, types_of
from cohortfinder.fhir.pages import instant
from cohortfinder.jobs.night.guards import clock, clock_ahead, incomplete, lost_codes, shrunk
from cohortfinder.jobs.night.under_way import Night
from cohortfinder.jobs.pulling.wanted import OF_GATES
from cohortfinder.jobs.status import LoadRow, store_loads
from cohortfinder.model import Trial
from cohortfinder.runs.record import RECORD, Refusal, RunRecord, read_record, run_folder, run_ids
from cohortfinder.runs.snapshots import current_run
from cohortfinder.terminology import Terminology
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.held import counts_held
from cohortfinder.warehouse.state import TypeState, loaded_types, pulled_types

# the codes of each concept that the trials ask for, as they were in a run
CODES = "codes.json"


def check(night: Night) -> None:
    """Note everything that must not be published: guards.py has the rules.

    Raises InputError when there is no store, LockedError when another process writes to it.
    """
    with night.step("check") as step:
        store, before = night.settings.store, published_record(night)
        with open_warehouse(store, read_only=True) as connection:
            states, loads = loaded_types(connection), store_loads(connection)
            held = counts_held(connection)
            watermarks = [one.watermark for one in pulled_types(connection).values() if one.watermark]
        night.record.load_ids = sorted(one.load_id for one in loads)
        # the book-keeping remembers what was deleted, so that it does not come back; the tables do not
        night.record.types = {kind: count for kind, count in held.items() if count or kind in states}
        codes = codes_of_concepts(night.trials.values(), night.known)
        write_durably(run_folder(store, night.record.run_id) / CODES, orjson.dumps(codes, option=orjson.OPT_INDENT_2))
        server = max(map(instant, watermarks)) if watermarks and _just_pulled(night) else None
        for warning in _put_aside(loads, before):
            night.warn(warning)
        for refusal in (*_of_clock(night, before, loads, server), *_of_data(night, before, states, codes)):
            night.refuse(refusal)
        step.counts = {
            "resources": sum(night.record.types.values()),
            "quarantined": sum(one.quarantined for one in _new(loads, before)),
            "refusals": len(night.record.refusals),
        }


def published_record(night: Night) -> RunRecord | None:
    """Return the record of the run whose list holds, None when there is none. Raises StoreError when it is damaged."""
    store = night.settings.store
    run_id = current_run(store)
    if run_id is None or not (run_folder(store, run_id) / RECORD).is_file():
        return None
    return read_record(store, run_id)


def codes_of_concepts(trials: Iterable[Trial], terminology: Terminology) -> dict[str, list[str]]:
    """Return the codes of each concept that some trials ask for, as `system|code`, an excluding one with a minus."""
    asked = {concept for trial in trials for concept in concepts_asked(trial)}
    return {concept: sorted(set(_codes(concept, terminology))) for concept in sorted(asked)}


def _codes(concept: str, terminology: Terminology) -> Iterator[str]:
    if (results := terminology.observation_concepts.get(concept)) is not None:
        yield from (f"{one.system}|{one.code}" for one in results.codes if one.decides)
    if (clinical := terminology.clinical_concepts.get(concept)) is not None:
        yield from (f"{'' if one.include else '-'}{one.system}|{one.code}" for one in clinical.codes)


def _of_clock(
    night: Night, before: RunRecord | None, loads: tuple[LoadRow, ...], server: datetime | None
) -> Iterator[Refusal]:
    now, published = datetime.now(UTC), date.fromisoformat(before.index_date) if before else None
    newest = _newest(night, loads)
    found = [*clock(now, night.as_of, newest=newest, published=published)]
    # whoever names the day does not go by the clock
    if not found and night.options.as_of is None:
        found = [*clock_ahead(now, night.as_of, newest=newest, server=server)]
    yield from found


def _newest(night: Night, loads: tuple[LoadRow, ...]) -> datetime | None:
    """Return the latest time of which the store has something, but for this run and the load that it has brought."""
    store, own = night.settings.store, night.pulled.load_id if night.pulled else ""
    runs = [read_record(store, run_id) for run_id in run_ids(store) if run_id != night.record.run_id]
    times = [time for one in runs for time in (one.started_at, one.ended_at) if time]
    times += [one.started_at for one in loads if one.load_id != own]
    return max((datetime.fromisoformat(time) for time in times), default=None)


def _of_data(
    night: Night, before: RunRecord | None, states: dict[str, TypeState], codes: dict[str, list[str]]
) -> Iterator[Refusal]:
    trials = night.trials.values()
    read = {kind for trial in trials for kind in types_of(trial, night.known)}.union(OF_GATES)
    asked = frozenset(code for trial in trials for code in codes_of(trial, night.known))
    yield from incomplete(states, read, asked)
    if before is not None:
        most = night.settings.nightly.shrink_percent
        yield from shrunk(night.record.types, before.types, read, most_percent=most)
        yield from lost_codes(codes, _kept_codes(run_folder(night.settings.store, before.run_id)))


def _new(loads: tuple[LoadRow, ...], before: RunRecord | None) -> tuple[LoadRow, ...]:
    """Return the loads since the last list."""
    known = {*before.load_ids} if before else set()
    return tuple(one for one in loads if one.load_id not in known)


def _put_aside(loads: tuple[LoadRow, ...], before: RunRecord | None) -> Iterator[str]:
    """Say what of the loads since the last list was put aside."""
    for one in _new(loads, before):
        if one.quarantined:
            count = "1 resource" if one.quarantined == 1 else f"{one.quarantined} resources"
            yield f"{count} of load {one.load_id} could not be loaded and lie in quarantine/."


def _kept_codes(folder: Path) -> dict[str, list[str]]:
    """Return the codes of an earlier run; a run that has kept none cannot be compared."""
    try:
        kept: dict[str, list[str]] = orjson.loads((folder / CODES).read_bytes())
    except FileNotFoundError:
        return {}
    return kept


def _just_pulled(night: Night) -> bool:
    return night.pulled is not None and not night.pulled.continued
