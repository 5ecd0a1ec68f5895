"""One flat ViewDefinition against the same rows by hand: the compiler alone, without the tables of the product."""

import sys
import time
from pathlib import Path

import duckdb

from cohortfinder.views import compile_view

VIEWS = Path(__file__).parent / "views"


def flat_view(files: list[str], rounds: int) -> tuple[float, float]:
    """Return the best seconds of our SQL and of the hand-written one over files of Observations, taking turns."""
    view = compile_view((VIEWS / "flat_observation.json").read_text(encoding="utf-8"))
    by_hand = (VIEWS / "flat_observation.sql").read_text(encoding="utf-8")
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        rows = []
        for query, spent in zip((view.select_from_ndjson(strict=True), by_hand), taken, strict=True):
            with duckdb.connect() as connection:
                started = time.perf_counter()
                connection.execute(f"CREATE TABLE flat AS {query}", {"files": files})
                spent.append(time.perf_counter() - started)
                rows.append(connection.execute("SELECT count(*), sum(hash(flat)) FROM flat").fetchall())
        if rows[0] != rows[1]:
            sys.exit("the flat view and its floor make other rows; correct benchmarks/views")
    return min(taken[0]), min(taken[1])
