"""The counts that several sites have shared (counts/funnel.csv of `export`) to those of all of them together.

A number that a site withheld lies between those that it shows before and after it, and so does the sum: merging tells
nothing that the sites have not told.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from pathlib import Path

import orjson

from cohortfinder.errors import InputError
from cohortfinder.report.cells import table
from cohortfinder.report.export import FUNNEL

COUNTS, RECORD = Path("counts") / "funnel.csv", "export.json"


@dataclass(frozen=True, slots=True)
class SharedStep:
    """A row of a site's funnel.csv; None: withheld. Order 0 are the living patients."""

    arm: str
    order: int
    criterion_id: str
    remaining: int | None
    unknown: int | None


@dataclass(frozen=True, slots=True)
class SharedCounts:
    """What a site has shared of a trial: what ran, below which number counts are withheld, and each step."""

    site: str
    trial: str
    trial_sha256: str
    as_of: date
    below: int
    complete: bool
    steps: tuple[SharedStep, ...]


@dataclass(frozen=True, slots=True)
class MergedStep:
    """A step of all sites: between `least` and `most` remain, the same number where no site withheld its own.

    `unknown_least` to `unknown_most` of those who remain are unknown; order 0 has none.
    """

    arm: str
    order: int
    criterion_id: str
    sites: int
    withheld: int
    remaining_least: int
    remaining_most: int
    unknown_least: int
    unknown_most: int


MERGED = tuple(one.name for one in fields(MergedStep))


def read_counts(folder: Path) -> SharedCounts:
    """Read what a site has shared: the folder that `export --out` wrote, or the part with the counts.

    Raises InputError when it is no such folder, or the files are not as they were written.
    """
    try:
        record = orjson.loads((folder / RECORD).read_bytes())
        below = int(record["withheld_below"])
        with (folder / COUNTS).open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            if tuple(reader.fieldnames or ()) != FUNNEL:
                raise ValueError(f"the columns of {COUNTS} are not {', '.join(FUNNEL)}")
            steps = tuple(_step(row) for row in reader)
        return SharedCounts(
            folder.name, str(record["trial"]), str(record["trial_sha256"]), date.fromisoformat(record["as_of"]), below,
            bool(record["complete"]), steps,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}: {Path(error.filename).name} is not there; give a folder that `cohortfinder export --out` wrote"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder}: these counts cannot be read ({error}); ask the site to export them again"
        ) from error


def _step(row: Mapping[str, str]) -> SharedStep:
    return SharedStep(
        row["arm"], int(row["order"]), row["criterion_id"], _number(row["remaining"]), _number(row["unknown"])
    )


def _number(cell: str) -> int | None:
    if not cell:
        return None
    number = int(cell)
    if number < 0:
        raise ValueError(f"{number} people")
    return number


def merge(shared: Sequence[SharedCounts]) -> tuple[MergedStep, ...]:
    """Add up what sites have shared of the same trial, step by step.

    Raises InputError when they are of different trials, or of different texts of one: then their steps are not the
    same questions.
    """
    first = shared[0]
    for one in shared[1:]:
        if (one.trial, one.trial_sha256) != (first.trial, first.trial_sha256):
            what = "another trial" if one.trial != first.trial else "another version of the trial file"
            raise InputError(
                f"{one.site} screened {what} than {first.site}; let every site screen the same file, then merge"
            )
        if _places(one) != _places(first):
            raise InputError(f"{one.site} has other steps than {first.site}; let every site use the same version")
    bounds = [_bounds(one) for one in shared]
    return tuple(_merged(step, [own[number] for own in bounds]) for number, step in enumerate(first.steps))


def _places(shared: SharedCounts) -> list[tuple[str, int, str]]:
    return [(step.arm, step.order, step.criterion_id) for step in shared.steps]


@dataclass(frozen=True, slots=True)
class _Bounds:
    least: int
    most: int
    unknown_least: int
    unknown_most: int


def _bounds(shared: SharedCounts) -> list[_Bounds]:
    """Return between which numbers those of a site lie: within an arm they only fall, and zero is never withheld."""
    found: list[_Bounds] = []
    arms = [step.arm for step in shared.steps]
    for number, step in enumerate(shared.steps):
        own = [one.remaining for one, arm in zip(shared.steps, arms, strict=True) if arm == step.arm]
        place = number - arms.index(step.arm)
        most = next((one for one in reversed(own[: place + 1]) if one is not None), shared.below - 1)
        after = max(1, next((one for one in own[place:] if one is not None), 1))
        least = after if step.remaining is None else step.remaining
        if least > most:
            raise InputError(f"{shared.site}: the counts of arm {step.arm} rise; ask the site to export them again")
        unknown = (0, most) if step.unknown is None else (step.unknown, step.unknown)
        found.append(_Bounds(least, most, *((0, 0) if step.order == 0 else unknown)))
    return found


def _merged(step: SharedStep, bounds: Sequence[_Bounds]) -> MergedStep:
    return MergedStep(
        step.arm, step.order, step.criterion_id, len(bounds), sum(one.least != one.most for one in bounds),
        *(sum(getattr(one, name) for one in bounds) for name in ("least", "most", "unknown_least", "unknown_most")),
    )  # fmt: skip


def merged_csv(steps: Iterable[MergedStep]) -> bytes:
    """Return the merged counts as CSV, one row for each arm and step."""
    return table(MERGED, (astuple(step) for step in steps))
