"""What is wanted, and what was pulled before, to the slices of a pull. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cohortfinder.fhir.by_id import batches
from cohortfinder.fhir.capability import Capability, TypeSupport
from cohortfinder.fhir.pages import instant
from cohortfinder.jobs.pulling.wanted import CODED, REFERENCED, Wanted
from cohortfinder.landing.spool import Slice
from cohortfinder.warehouse.state import PullKey, TypePull

NEVER = TypePull(None, None, complete=False, swept_at=None)
Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan depends on beside what is wanted: the server and its time, and what was pulled before.

    `level` is that of the bulk exports, None for searches.
    """

    capability: Capability
    pulls: Mapping[PullKey, TypePull]
    started: datetime
    overlap: timedelta = timedelta(minutes=20)
    sweep_every: timedelta = timedelta(days=7)
    sweep_now: bool = False
    level: str | None = None

    @property
    def began(self) -> str:
        """The server's time at the start, as FHIR writes it."""
        return as_instant(self.started)


def offered(wanted: Wanted, capability: Capability) -> tuple[str, ...]:
    """Return the wanted types that the server can search; one that says nothing of its types is asked for all."""
    if not capability.types:
        return wanted.types
    return tuple(kind for kind in wanted.types if kind in capability.types and capability.types[kind].searched)


def last_pull(wanted: Wanted, kind: str, around: Circumstances) -> TypePull:
    """Return the last pull of a type, for the same patients."""
    return around.pulls.get((wanted.server, wanted.scope, kind), NEVER)


def changes_known(kind: str, capability: Capability) -> bool:
    """Say whether the server can be asked for what has changed of a type; one that does not say is asked."""
    support = capability.types.get(kind, TypeSupport())
    return not support.parameters or "_lastUpdated" in support.parameters


def since_of(wanted: Wanted, kind: str, around: Circumstances) -> str | None:
    """Return from when on a type is asked for, None for all of it."""
    watermark = last_pull(wanted, kind, around).watermark
    if wanted.full or watermark is None or not changes_known(kind, around.capability):
        return None
    return as_instant(instant(watermark) - around.overlap)


def plan_slices(wanted: Wanted, around: Circumstances) -> tuple[Slice, ...]:
    """Return the slices of a pull, the largest type first, without those that follow from what comes."""
    kinds = sorted(offered(wanted, around.capability), key=lambda kind: kind != CODED)
    slices = [*_exports(wanted, around)]
    exported = {kind for part in slices for kind in part.types}
    slices += [part for kind in kinds if kind not in exported for part in _searches(wanted, kind, around)]
    slices += [part for kind in kinds if (part := _removals(wanted, kind, around)) is not None]
    return numbered(slices, around.started)


def numbered(slices: Iterable[Slice], started: datetime, after: int = 0) -> tuple[Slice, ...]:
    """Give slices their numbers and the time at which they begin."""
    return tuple(
        replace(part, number=number, started=as_instant(started)) for number, part in enumerate(slices, after + 1)
    )


def taken_up(slices: Sequence[Slice], left: Sequence[Slice]) -> tuple[Slice, ...]:
    """Return the slices, those with the question of one that was begun before as that one, which has begun earlier."""
    known = {part.question: part for part in left}
    after = max((part.number for part in left), default=0)
    return tuple(known.get(part.question) or replace(part, number=part.number + after) for part in slices)


def survivors(wanted: Wanted, ids: Sequence[str], around: Circumstances) -> Iterator[Slice]:
    """Yield the questions for all records of some patients, of the types that were asked only for what has changed."""
    narrowed = replace(wanted, patients=tuple(ids), full=True)
    for kind in offered(wanted, around.capability):
        if since_of(wanted, kind, around) is not None and kind not in REFERENCED:
            yield from _searches(narrowed, kind, around)


def as_instant(time: datetime) -> str:
    """Write a time as FHIR does."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _exports(wanted: Wanted, around: Circumstances) -> Iterator[Slice]:
    """Yield the bulk exports: of what was not pulled yet everything, of the rest what has changed.

    What is read by reference belongs to no patient: HAPI refuses a whole export of patients for it.
    """
    if around.level is None:
        return
    kinds = tuple(kind for kind in offered(wanted, around.capability) if kind not in REFERENCED)
    starts = {kind: _whole_or_since(wanted, kind, around) for kind in kinds}
    for own in (tuple(kind for kind in kinds if (starts[kind] is None) is new) for new in (True, False)):
        since = min((start for kind in own if (start := starts[kind]) is not None), default=None)
        if own:
            yield Slice(0, "export", own, (("level", around.level), *_codes_in(own, wanted, around)), since)


def _whole_or_since(wanted: Wanted, kind: str, around: Circumstances) -> str | None:
    """Return from when on an export asks for a type; for all of it where some code is new."""
    starts = [start for _, start in _by_code(wanted, kind, since_of(wanted, kind, around), around)]
    return None if None in starts or not starts else starts[0]


def _codes_in(kinds: Collection[str], wanted: Wanted, around: Circumstances) -> Parameters:
    names = code_parameters(around.capability)
    if CODED not in kinds or wanted.codes is None or not names:
        return ()
    return (*(("by", name) for name in names), *(("code", code) for code in sorted(wanted.codes)))


def _searches(wanted: Wanted, kind: str, around: Circumstances) -> Iterator[Slice]:
    since = since_of(wanted, kind, around)
    if kind in REFERENCED and since is None:
        return
    for coded, start in _by_code(wanted, kind, since, around):
        for chosen in _by_patient(wanted, kind):
            yield Slice(0, "search", (kind,), (*chosen, *coded), start)


def _by_patient(wanted: Wanted, kind: str) -> Iterator[Parameters]:
    if wanted.patients is None or kind in REFERENCED:
        yield ()
        return
    for batch in batches(wanted.patients):
        yield (("_id" if kind == "Patient" else "patient", ",".join(batch)),)


def _by_code(
    wanted: Wanted, kind: str, since: str | None, around: Circumstances
) -> Iterator[tuple[Parameters, str | None]]:
    """Yield the codes to ask for and from when on: those that are new from the beginning."""
    names = code_parameters(around.capability)
    if kind != CODED or wanted.codes is None or not names:
        yield (), since if last_pull(wanted, kind, around).codes is None else None
        return
    before = last_pull(wanted, kind, around).codes
    known = wanted.codes if before is None else wanted.codes & before
    for codes, start in ((known, since), (wanted.codes - known, None)):
        for batch in batches(map(_escaped, sorted(codes))):
            yield from ((((name, ",".join(batch)),), start) for name in names)


def code_parameters(capability: Capability) -> tuple[str, ...]:
    """Return the parameters that find an Observation by its code or that of a component; none where that cannot be."""
    known = capability.types.get(CODED, TypeSupport()).parameters
    if not known or "combo-code" in known:
        return ("combo-code",)
    return ("code", "component-code") if {"code", "component-code"} <= known else ()


def _escaped(code: str) -> str:
    return code.replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|").replace("$", "\\$")


def _removals(wanted: Wanted, kind: str, around: Circumstances) -> Slice | None:
    """Return how to find out what was deleted of a type; nothing where there is nothing of it yet."""
    pull = last_pull(wanted, kind, around)
    if pull.watermark is None:
        return None
    since = as_instant(instant(pull.watermark) - around.overlap)
    support = around.capability.types.get(kind, TypeSupport())
    due = pull.swept_at is None or around.started - instant(pull.swept_at) >= around.sweep_every
    if "history-type" in support.interactions and not around.sweep_now:
        return Slice(0, "history", (kind,), (), since)
    if wanted.patients is None and (due or around.sweep_now or not changes_known(kind, around.capability)):
        return Slice(0, "sweep", (kind,), (), since)
    return None
