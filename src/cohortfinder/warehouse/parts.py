"""A folder of typed tables in parts that can be evaluated by themselves: each person is in one of them.

A part is some buckets of one node. Where a person has Patient records in buckets of several parts, all of them go to
the first of these parts.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cohortfinder.warehouse.parquet import Layout, NodeManifest
from cohortfinder.warehouse.parquet_tables import PATIENT, bucket_of, parquet_tables

# a Patient record, the one that replaces it, and those that it replaces, with blanks between them
Link = tuple[str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Part:
    """Buckets of a node, patients of other buckets who are `brought` here, and those of these who are `left_out`."""

    number: int
    node: str
    buckets: tuple[int, ...]
    folders: Mapping[str, str]
    brought: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    brought_from: tuple[int, ...] = ()


def plan_parts(
    layout: Layout, links: Mapping[str, Iterable[Link]], *, patients: int, at_least: int = 1
) -> tuple[Part, ...]:
    """Divide what lies in a folder into parts of some `patients` each, `at_least` so many where there are the buckets.

    `links` are those of the Patient records of each node.
    """
    rows = sum(node.tables[PATIENT].rows for node in layout.nodes)
    parts: list[Part] = []
    for node in layout.nodes:
        own = node.tables[PATIENT].rows
        wanted = max(-(-own // patients), -(-at_least * own // max(rows, 1)), 1)
        parts += _of_node(layout, node, min(wanted, node.buckets), links.get(node.node, ()), len(parts))
    return tuple(parts)


def _of_node(layout: Layout, node: NodeManifest, count: int, links: Iterable[Link], first: int) -> Iterator[Part]:
    folders = {
        table.name: f"{layout.folder}/{node.folder(table.name)}"
        for table in parquet_tables()
        if node.tables[table.name].files
    }
    moved = _moved(links, node.buckets, count)
    for place in range(count):
        brought = sorted(patient for patient, part in moved.items() if part == place)
        yield Part(
            first + place, node.node, tuple(range(place, node.buckets, count)), folders, tuple(brought),
            tuple(sorted(one for one in moved if bucket_of(one, node.buckets) % count == place)),
            tuple(sorted({bucket_of(one, node.buckets) for one in brought})),
        )  # fmt: skip


def _moved(links: Iterable[Link], buckets: int, count: int) -> dict[str, int]:
    """Return the part of each patient who is not evaluated where the bucket lies, but with the rest of the person."""
    moved: dict[str, int] = {}
    for person in joined(links):
        parts = {patient: bucket_of(patient, buckets) % count for patient in person}
        together = min(parts.values())
        moved |= {patient: together for patient, part in parts.items() if part != together}
    return moved


def joined(links: Iterable[Link]) -> Sequence[frozenset[str]]:
    """Return the groups of Patient records that links join, directly or over others."""
    beside: defaultdict[str, set[str]] = defaultdict(set)
    for patient, replaced_by, replaces in links:
        for other in (*([replaced_by] if replaced_by else ()), *(replaces or "").split()):
            beside[patient].add(other)
            beside[other].add(patient)
    groups, seen = [], set[str]()
    for start in sorted(beside):
        if start in seen:
            continue
        group, waiting = set[str](), [start]
        while waiting:
            one = waiting.pop()
            if one not in group:
                group.add(one)
                waiting += beside[one] - group
        seen |= group
        groups.append(frozenset(group))
    return groups
