"""The bulk exports of a pull: each a slice of several types, one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock

from cohortfinder.errors import CohortFinderError, ShrunkError
from cohortfinder.fhir.export import export
from cohortfinder.fhir.export_job import Patience
from cohortfinder.fhir.export_question import CodeFilter, ExportQuestion
from cohortfinder.jobs.pulling.errand import Errand
from cohortfinder.jobs.pulling.fetch import Fetched
from cohortfinder.jobs.pulling.wanted import CODED
from cohortfinder.landing.spool import Mark, Slice
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.state import full_pulls

SEARCH = "search"
# a type that lost more than a fifth, and no mere handful, was not exported as a whole
_LEFT_SHARE = 0.8
_HANDFUL = 10


def mode_of(level: str | None) -> str:
    """Return what the book-keeping calls a pull: by search, or by exports of a level."""
    return SEARCH if level is None else f"export {level}".strip()


def question_of(part: Slice) -> ExportQuestion:
    """Return what an export is asked for."""
    names = tuple(value for name, value in part.parameters if name == "by")
    codes = tuple(value for name, value in part.parameters if name == "code")
    level = next(value for name, value in part.parameters if name == "level")
    filters = {CODED: CodeFilter(codes, names)} if names else {}
    return ExportQuestion(part.types, level, part.since, filters)


def bring_export(errand: Errand, one_at_a_time: Lock, part: Slice) -> Mark:
    """Bring an export into the spool; a server does one at a time for each client. Raises like `export`."""
    with one_at_a_time:
        errand.crew.check()
        spool = errand.spool.of(part)
        mark = spool.resume()
        # from now on a later pull goes on with it
        mark = mark if mark.pages else spool.add(b"", replace(mark, pages=1))
        connection = errand.client.connection
        found = export(
            errand.client, question_of(part), spool.export(), parallel=connection.parallel,
            patience=Patience(connection.poll_seconds, connection.export_minutes * 60),
            labels=errand.habits.labels, log=errand.log, check=errand.crew.check,
        )  # fmt: skip
        errand.crew.fetched.exported[part.number] = found
    return spool.add(b"", replace(mark, seen=sum(found.counts.values()), dropped=found.dropped, done=True))


def failed_export(slices: Sequence[Slice], fetched: Fetched) -> CohortFinderError | None:
    """Return why an export has not come, None when all have."""
    numbers = (part.number for part in slices if part.kind == "export")
    return next((fetched.failed[number] for number in numbers if number in fetched.failed), None)


def left_out(fetched: Fetched) -> tuple[str, ...]:
    """Say what the server exported though nobody had asked for it."""
    counts = [pair for one in fetched.exported.values() for pair in one.left_out.items()]
    return tuple(
        f"The server exported {count:,} {kind} that were not asked for; they were left out." for kind, count in counts
    )


def shrunk(now: Mapping[str, int], before: Mapping[str, int]) -> tuple[str, ...]:
    """Return the types of which far less came than the last time. Pure."""
    return tuple(
        kind for kind, count in now.items()
        if before.get(kind, 0) - count >= _HANDFUL and count < before[kind] * _LEFT_SHARE
    )  # fmt: skip


def refuse_shrunk(errand: Errand, slices: Sequence[Slice]) -> None:
    """Stop before far less is taken for all that there is.

    An export of everything is compared with the last one of the same codes. Raises ShrunkError.
    """
    whole = [part for part in slices if part.number in errand.crew.fetched.exported and part.since is None]
    now = {kind: errand.crew.fetched.exported[part.number].counts.get(kind, 0) for part in whole for kind in part.types}
    with open_warehouse(errand.store, read_only=True) as connection:
        key = errand.wanted.server, errand.wanted.scope, mode_of(errand.around.level)
        before = full_pulls(connection, *key, codes=errand.wanted.codes)
    if less := shrunk(now, before):
        for part in whole:
            errand.spool.of(part).refuse()
        named = ", ".join(f"{kind} {now[kind]:,} after {before[kind]:,}" for kind in less)
        raise ShrunkError(
            f"{errand.client.name} exported far less than the last time ({named}), and nothing was loaded; ask who "
            "runs it, then pull again: it is exported anew, or with --accept-shrink taken as it is"
        )
