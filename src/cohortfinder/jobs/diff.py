"""The job `diff`: two folders that `screen --out` wrote to what moved between them, and why."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import orjson

from cohortfinder.errors import InputError
from cohortfinder.ranking.diff import FILES, Move, RunRecord, compare
from cohortfinder.report.cells import table
from cohortfinder.report.files import make_folder, write_bytes
from cohortfinder.warehouse.confined import confined

_COLUMNS = (
    "move", "patient_id", "arm", "status_before", "status_after", "cause", "criterion_id", "verdict_before",
    "verdict_after", "detail",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diff:
    """What moved between two runs."""

    old: RunRecord
    new: RunRecord
    moves: tuple[Move, ...]

    def summary(self) -> dict[str, Any]:
        """Return it as one object."""
        return {
            "trial": self.new.record["trial"],
            "old": _told(self.old),
            "new": _told(self.new),
            "moves": Counter(one.move for one in self.moves),
            "causes": self.causes(),
            "patients": [asdict(one) for one in self.moves],
        }

    def causes(self) -> dict[str, int]:
        """Return how many moves each cause has a part in, most first."""
        counted = Counter(name for one in self.moves for name in {cause.cause for cause in one.causes})
        return dict(counted.most_common())

    def csv(self) -> bytes:
        """Return diff.csv: a row a move and cause."""
        return table(
            _COLUMNS,
            (
                (
                    one.move, one.patient_id, one.arm, one.status_before, one.status_after, cause.cause,
                    cause.criterion_id, cause.verdict_before, cause.verdict_after, cause.detail,
                )
                for one in self.moves
                for cause in one.causes
            ),
        )  # fmt: skip


def diff_runs(old: Path, new: Path, *, out: Path | None = None) -> Diff:
    """Compare two folders of `screen --out`, and write diff.csv and diff.json into `out`, where one is given.

    Raises InputError when one is no such folder, or they are of different trials.
    """
    before, after = _read(old), _read(new)
    if before.record["trial"] != after.record["trial"]:
        raise InputError(
            f"{new}: this run is of {after.record['trial']}, the other one of {before.record['trial']}; "
            "compare two runs of one trial"
        )
    if before.record["as_of"] > after.record["as_of"]:
        raise InputError(f"{new}: this run is as of an earlier day than the other one; name the older one first")
    with duckdb.connect() as connection:
        confined(connection, (old, new))
        found = Diff(before, after, compare(connection, before, after))
    if out is not None:
        make_folder(out)
        write_bytes(out / "diff.csv", found.csv())
        write_bytes(out / "diff.json", orjson.dumps(found.summary(), option=orjson.OPT_INDENT_2))
    return found


def _read(folder: Path) -> RunRecord:
    try:
        record = orjson.loads((folder / "run.json").read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(
            f"{folder}: there is no run here; name a folder that `cohortfinder screen --out` wrote"
        ) from error
    lacking = [file for file in FILES.values() if not (folder / file).is_file()]
    if lacking or not isinstance(record, dict) or "proof" not in record:
        raise InputError(
            f"{folder}: this run was written without {lacking[0] if lacking else 'its proof'}, which a comparison "
            "needs; screen again with this version"
        )
    return RunRecord(folder, record)


def _told(one: RunRecord) -> dict[str, Any]:
    return {"folder": str(one.folder), "as_of": one.record["as_of"], "started_at": one.record.get("started_at")}
