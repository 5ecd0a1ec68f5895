"""Measure a pull by search from a real HAPI: `python -m benchmarks.search`.

The floor is a bare loop of requests with the same questions, as many side by side and pages as large, that reads the
bytes and looks for the next link in them. Ours and the floor run as processes of their own, in turns. Then whole pulls:
everything, a night on which one resource has changed, and one on which a hundredth has.
"""

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import requests
from tests.servers.launching import hapi_server

from benchmarks.export import Spent, calling, measured
from benchmarks.run import DATA, ROUNDS, Figure, machine
from cohortfinder.landing.spool import Slice

RESOURCES = int(os.environ.get("BENCH_RESOURCES", "60000"))
SLICES = 16
CHANGED = 100
_BATCH = 500
CONFIGURATION = """
store = "store"
trials = ["NCT06983964"]
[fhir]
url = "{url}"
# the resources are minutes old: with an overlap every pull would bring all of them again
overlap_minutes = 0
"""


def observations(step: int = 1) -> Iterator[dict[str, object]]:
    """Yield the first Observations of the data, or every `step`th: a child's peak begins at the size of its parent."""
    with (DATA / "Observation.ndjson").open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in islice(lines, 0, RESOURCES, step))


def put(url: str, resources: Iterable[dict[str, object]]) -> None:
    """Store resources under their ids, some hundred at a time."""
    rest = iter(resources)
    while batch := list(islice(rest, _BATCH)):
        entries = [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
            for one in batch
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        requests.post(url, json=bundle, timeout=600).raise_for_status()


def slices_of(resources: Iterable[dict[str, object]]) -> list[Slice]:
    """Part Observations by their codes into questions of about the same size."""
    parts: list[tuple[int, list[str]]] = [(0, []) for _ in range(SLICES)]
    for code, count in Counter(code for one in resources for code in codes_of(one)).most_common():
        place = parts.index(min(parts, key=lambda part: part[0]))
        parts[place] = (parts[place][0] + count, [*parts[place][1], code])
    asked = (",".join(codes) for _, codes in parts)
    return [Slice(number, "search", ("Observation",), (("code", codes),)) for number, codes in enumerate(asked)]


def codes_of(resource: dict[str, object]) -> Iterator[str]:
    """Yield the first code of a resource."""
    match resource.get("code"):
        case {"coding": [{"code": str(code)}, *_]}:
            yield code


def fetches(url: str, slices: list[Slice]) -> Iterator[tuple[Spent, Spent]]:
    """Measure the bare loop and ours in turns, after one that warms the server."""
    for turn in range(ROUNDS + 1):
        with tempfile.TemporaryDirectory() as name:
            floor = measured(*calling("benchmarks.search_fetch", "bare", url, slices))
            own = measured(*calling("benchmarks.search_fetch", "ours", url, slices, Path(name)))
        print(f"bare: {floor}; ours: {own}", file=sys.stderr)
        if turn:
            yield floor, own


def pulls(url: str, folder: Path) -> list[Figure]:
    """Measure whole pulls: everything, a night with one change, and one with a hundredth changed."""
    config = folder / "site.toml"
    config.write_text(CONFIGURATION.format(url=url), encoding="utf-8")
    pull = ("-m", "cohortfinder", "pull", "--all-codes", "--config", config, "--store", folder / "store")
    whole = measured(*pull)
    single = []
    for status in ("corrected", "amended"):
        put(url, [{**next(observations()), "status": status}])
        single.append(measured(*pull).wall)
    put(url, ({**one, "status": "corrected"} for one in observations(CHANGED)))
    night = measured(*pull)
    share = 100 * (night.wall - min(single)) / whole.wall
    return [
        Figure("whole pull by search into tables", whole.wall, "s"),
        Figure("... its peak memory", whole.peak, "MB", limit=400),
        Figure("a night with one resource changed: the fixed start", min(single), "s"),
        Figure("a night with 1 % changed beyond the fixed start, of the whole pull", share, "%", limit=5),
    ]


def main() -> None:
    """Measure and print."""
    if not (DATA / "Observation.ndjson").is_file():
        sys.exit(f"{DATA}: no patients here; make them first: python -m benchmarks.generate")
    with tempfile.TemporaryDirectory() as name, hapi_server(Path(name), memory="3g") as url:
        put(url, observations())
        slices = slices_of(observations())
        turns = list(fetches(url, slices))
        floor, own = (min((turn[side] for turn in turns), key=lambda spent: spent.wall) for side in (0, 1))
        figures = [
            Figure("pages into the spool, against a bare loop that reads them", own.wall, "s", floor.wall, 1 / 0.9),
            Figure("... processor time of ours, of its time", 100 * own.processor / own.wall, "%", limit=15),
            *pulls(url, Path(name)),
        ]
    print(f"{machine()}, HAPI on the same machine, {RESOURCES:,} Observations\n")
    print("| what | measured | limit |\n| --- | --- | --- |")
    print("\n".join(figure.row() for figure in figures))


if __name__ == "__main__":
    main()
