"""Make the list of 5,000 candidates among 100,000 patients: `python -m benchmarks.worklist [PATIENTS [LISTED]]`.

The hospital is that of `benchmarks.hospital`. Prints what follows on the verdicts of the day: looking ahead, ranks,
funnel and next steps, other numbers, all files. The limit is 30 s; what data lack, which is told to the data team, is
printed beside it.
"""

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.hospital import PATIENTS, hospital
from benchmarks.run import Figure, machine
from cohortfinder.engine import screening
from cohortfinder.gates import GateSettings
from cohortfinder.jobs import screen as job
from cohortfinder.jobs import screened
from cohortfinder.jobs.demo import AS_OF, TRIAL
from cohortfinder.report.html import IN_FULL
from cohortfinder.settings import Settings

LISTED = 5_000
LIMIT = 30
_PARTS: tuple[tuple[str, tuple[tuple[Any, str], ...]], ...] = (
    ("looking ahead, with reasons", ((screening, "_look_ahead"),)),
    ("ranks, funnel, next steps", ((screened, "rank"), (screened, "count_funnel"), (screened, "find_steps"))),
    ("other numbers", ((job, "_what_if"),)),
    ("files, with all verdicts in words", ((job, "read_result"), (job, "write_outputs"))),
)
_BESIDE = ("what data lack", ((screened, "assess"),))


@contextmanager
def _clocks() -> Iterator[dict[str, float]]:
    spent: defaultdict[str, float] = defaultdict(float)

    def clocked(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*places: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*places, **options)
            finally:
                spent[part] += time.perf_counter() - started

        return timed

    with ExitStack() as stack:
        for part, functions in (*_PARTS, _BESIDE):
            for module, name in functions:
                stack.enter_context(mock.patch.object(module, name, clocked(part, getattr(module, name))))
        yield spent


def figures(store: Path, out: Path) -> Iterator[Figure]:
    """Screen a store and yield what the parts of the list took."""
    # the invented patients say that they are for tests
    settings = replace(Settings(store=store), gates=GateSettings(test_labels=None))
    terminology = job.read_terminology(settings)
    trial = job.read_trial(TRIAL, terminology, settings)
    with _clocks() as spent:
        result = job.screen_store(trial, terminology, settings, as_of=AS_OF, out=out, in_full=IN_FULL)
    listed = len({one.patient_id for one in result.screening.candidates})
    if not result.screening.what_if:
        sys.exit("other numbers were left out")
    yield Figure(f"the list of {listed:,} candidates", sum(spent[part] for part, _ in _PARTS), "s", limit=LIMIT)
    for part in (*(part for part, _ in _PARTS), _BESIDE[0]):
        yield Figure(f"... {part}" if part != _BESIDE[0] else f"beside it {part}", spent[part], "s")


def main() -> None:
    """Make the hospital, measure, and print a table."""
    patients, listed = (*map(int, sys.argv[1:]), *(PATIENTS, LISTED)[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        hospital(scratch / "store", patients, listed, scratch)
        rows = [figure.row() for figure in figures(scratch / "store", scratch / "out")]
    print(f"{machine()}\n\n| among {patients:,} patients | measured | limit |\n| --- | --- | --- |")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
