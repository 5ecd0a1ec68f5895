"""The record of a run: what it did, how long that took and what came of it, in counts; never a patient."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from cohortfinder.disk import write_durably
from cohortfinder.errors import StoreError

RUNS, RECORD = "runs", "run.json"
RUNNING, PUBLISHED, REFUSED, FAILED, INTERRUPTED = "running", "published", "refused", "failed", "interrupted"
_STAMP = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a run must not publish: `code` is what `--accept` takes, `accept` says what is accepted with it."""

    code: str
    message: str
    accept: str
    exit_status: int


@dataclass(slots=True)
class Step:
    """One step of a run. `state`: running, done, skipped, refused, failed or interrupted; `counts` are numbers only."""

    name: str
    started_at: str
    seconds: float | None = None
    state: str = RUNNING
    counts: dict[str, Any] = field(default_factory=dict)
    message: str | None = None


@dataclass(slots=True)
class RunRecord:
    """One run, from its first step on.

    `types` are the counts of the store that it screened, `trials` what came of each, and `replay` is what
    `cohortfinder replay` needs of the configuration.
    """

    run_id: str
    started_at: str
    versions: dict[str, Any]
    index_date: str
    ended_at: str | None = None
    state: str = RUNNING
    exit_status: int | None = None
    message: str | None = None
    load_ids: list[str] = field(default_factory=list)
    types: dict[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    trials: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    replay: dict[str, Any] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Return it as one object, as run.json has it."""
        return asdict(self)


def run_folder(store: Path, run_id: str) -> Path:
    """Return where a run keeps what it makes."""
    return store / RUNS / run_id


def write_record(store: Path, record: RunRecord) -> None:
    """Write run.json. Raises ReadWriteError."""
    content = orjson.dumps(record.summary(), default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    write_durably(run_folder(store, record.run_id) / RECORD, content)


def read_record(store: Path, run_id: str) -> RunRecord:
    """Read run.json of a run. Raises StoreError when it is missing or damaged."""
    file = run_folder(store, run_id) / RECORD
    try:
        content: Mapping[str, Any] = orjson.loads(file.read_bytes())
        steps = [Step(**one) for one in content["steps"]]
        refusals = [Refusal(**one) for one in content["refusals"]]
        return RunRecord(**{**content, "steps": steps, "refusals": refusals})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{file}: the record of this run cannot be read; restore it from a backup, or remove its folder"
        ) from error


def run_ids(store: Path) -> tuple[str, ...]:
    """Return the runs that have a record, oldest first."""
    found = (store / RUNS).glob(f"*/{RECORD}")
    return tuple(sorted(file.parent.name for file in found))


def records(store: Path) -> Iterator[RunRecord]:
    """Yield the records of a store, the newest first. Raises StoreError at one that is damaged."""
    for run_id in reversed(run_ids(store)):
        yield read_record(store, run_id)


def new_run_id(taken: Iterable[str], now: datetime) -> str:
    """Return an id that sorts after all that are taken, also where the clock was set back."""
    stamp, last = now.astimezone(UTC).strftime(_STAMP), max(taken, default="")
    if last[: len(stamp)] < stamp:
        return f"{stamp}-001"
    head, _, number = last.partition("-")
    return f"{head}-{int(number) + 1:03}"


def moment(now: datetime) -> str:
    """Return a time as records have it: UTC, to the second."""
    return now.astimezone(UTC).isoformat(timespec="seconds")
