"""What follows from what came: all records of patients who go on for another one, and what records refer to."""

from collections.abc import Sequence

from cohortfinder.fhir.by_id import by_ids
from cohortfinder.jobs.pulling.errand import Errand
from cohortfinder.jobs.pulling.plan import last_pull, numbered, survivors
from cohortfinder.jobs.pulling.references import merged, referenced
from cohortfinder.jobs.pulling.wanted import REFERENCED
from cohortfinder.jobs.pulling.ways import ways
from cohortfinder.landing.spool import Slice
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.held import not_held, patient_links, unresolved


def what_follows(errand: Errand, slices: tuple[Slice, ...], left: Sequence[Slice]) -> tuple[Slice, ...]:
    """Fetch what follows from some slices, going on with what an earlier pull has left of it; return all slices."""
    slices = _fetched(errand, slices, left, _of_survivors(errand, slices))
    asked: dict[str, set[str]] = {kind: set() for kind in REFERENCED if kind in errand.kinds}
    while True:
        more = []
        for kind, known in asked.items():
            if new := _referenced(errand, slices, kind) - known:
                known |= new
                more.append(by_ids(kind, new))
        if not more:
            return slices
        slices = _fetched(errand, slices, left, more)


def _fetched(
    errand: Errand, slices: tuple[Slice, ...], left: Sequence[Slice], more: Sequence[Slice]
) -> tuple[Slice, ...]:
    if not more:
        return slices
    begun = {part.question: part for part in left}
    after = max((part.number for part in (*slices, *left)), default=0)
    added = tuple(begun.get(part.question, part) for part in numbered(more, errand.around.started, after))
    errand.keep((*slices, *added, *(part for part in left if part not in added)))
    errand.crew.fetch(added, ways(errand))
    return (*slices, *added)


def _of_survivors(errand: Errand, slices: Sequence[Slice]) -> tuple[Slice, ...]:
    """Return the questions for all records of those who go on in the place of another one since this pull."""
    links = merged(errand.files(slices, ("Patient",)))
    if not links:
        return ()
    with open_warehouse(errand.store, read_only=True) as connection:
        known = patient_links(connection)
    ids = going_on({other for _, other in links - known}, links | known)
    return tuple(survivors(errand.wanted, sorted(ids), errand.around)) if ids else ()


def going_on(ids: set[str], links: frozenset[tuple[str, str]]) -> set[str]:
    """Return some patients with those who go on in their place, and so on along each chain."""
    while more := {other for one, other in links if one in ids} - ids:
        ids = ids | more
    return ids


def _referenced(errand: Errand, slices: Sequence[Slice], kind: str) -> set[str]:
    """Return the ids of what records refer to and the store does not have.

    What the last pull did not get is in the store as a reference alone.
    """
    ids = referenced(errand.files(slices, _referring(errand, kind)), kind)
    missed = not last_pull(errand.wanted, kind, errand.around).complete
    with open_warehouse(errand.store, read_only=True) as connection:
        return {*not_held(connection, kind, ids), *(unresolved(connection, kind) if missed else ())}


def _referring(errand: Errand, kind: str) -> tuple[str, ...]:
    """Return the types that refer to a type: Medications also to each other."""
    return tuple(one for one in errand.kinds if one.startswith(kind)) if kind == "Medication" else ("ResearchSubject",)
