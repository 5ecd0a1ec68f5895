"""What became of a pull: the record that goes with its load, and the summary for who started it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cohortfinder.fhir.pages import instant
from cohortfinder.jobs.load import LoadSummary
from cohortfinder.jobs.pulling.fetch import Fetched
from cohortfinder.jobs.pulling.plan import Circumstances, as_instant, code_parameters, last_pull, since_of
from cohortfinder.jobs.pulling.wanted import CODED, Wanted
from cohortfinder.landing.pulled import PulledType
from cohortfinder.landing.spool import Slice


@dataclass(frozen=True, slots=True)
class TypeSummary:
    """One type: how many resources came, and what they changed in the store."""

    got: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class PullSummary:
    """What a pull did. `problems` are why a type is not complete, `notes` what the server cannot do."""

    server: str
    types: Mapping[str, TypeSummary]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    dropped: int = 0
    quarantined: int = 0
    load_id: str = ""
    continued: bool = False
    seconds: float = 0.0
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def exit_status(self) -> int:
        """0, or 3 when a type is not complete or something was put aside."""
        incomplete = any(not one.complete for one in self.types.values())
        return 3 if incomplete or self.problems or self.quarantined else 0


def complete_types(wanted: Sequence[str], slices: Sequence[Slice], fetched: Fetched) -> tuple[str, ...]:
    """Return the types of which every slice is there, and whole."""
    open_types = {kind for part in slices if part.number not in fetched.done for kind in part.types}
    open_types |= {*fetched.lacking}
    return tuple(kind for kind in wanted if kind not in open_types)


def records(
    wanted: Wanted, kinds: Sequence[str], slices: Sequence[Slice], fetched: Fetched, around: Circumstances
) -> tuple[PulledType, ...]:
    """Return what the manifest says of each type; one that is not complete stays where it was."""
    whole = complete_types(kinds, slices, fetched)
    return tuple(_record(wanted, kind, slices, fetched, around, complete=kind in whole) for kind in kinds)


def _record(
    wanted: Wanted, kind: str, slices: Sequence[Slice], fetched: Fetched, around: Circumstances, *, complete: bool
) -> PulledType:
    own, before = [part for part in slices if kind in part.types], last_pull(wanted, kind, around)
    since = since_of(wanted, kind, around)
    if not complete:
        codes = None if before.codes is None else tuple(sorted(before.codes))
        return PulledType(kind, since, before.watermark, codes, 0, complete=False)
    exported = [fetched.exported[part.number] for part in own if part.number in fetched.exported]
    times = (*(part.started for part in own), *(as_instant(instant(one.watermark)) for one in exported))
    started = min(times, default=around.began)
    coded = kind == CODED and wanted.codes is not None and code_parameters(around.capability)
    codes = tuple(sorted(wanted.codes or ())) if coded else None
    seen = sum(fetched.done[part.number].seen for part in own if part.kind in ("search", "ids"))
    seen += sum(one.counts.get(kind, 0) for one in exported)
    swept = before.watermark is None or any(part.kind == "sweep" for part in own)
    return PulledType(kind, since, started, codes, seen, complete=True, swept=swept)


def problems_of(fetched: Fetched) -> tuple[str, ...]:
    """Say why types are not complete."""
    told = [*map(str, fetched.failed.values()), *(f"{kind}: {reason}." for kind, reason in fetched.lacking.items())]
    return tuple(dict.fromkeys(told))


def summaries(recorded: Sequence[PulledType], loaded: LoadSummary) -> dict[str, TypeSummary]:
    """Return what the load made of each type."""
    complete = {one.resource_type: one.complete for one in recorded}
    return {
        kind: TypeSummary(
            got=loaded.types[kind].read if kind in loaded.types else 0,
            new=loaded.types[kind].loaded - loaded.types[kind].changed if kind in loaded.types else 0,
            changed=loaded.types[kind].changed if kind in loaded.types else 0,
            deleted=loaded.deleted.get(kind, 0),
            complete=complete.get(kind, True),
        )
        for kind in sorted({*complete, *loaded.types, *loaded.deleted})
    }
