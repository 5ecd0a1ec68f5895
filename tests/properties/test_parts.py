"""A folder of tables in parts: every patient is in one, and a person in one alone."""

from dataclasses import replace
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from cohortfinder.warehouse.parquet import Layout, NodeManifest, Written
from cohortfinder.warehouse.parquet_tables import bucket_of, parquet_tables
from cohortfinder.warehouse.parts import Link, Part, joined, plan_parts

IDS = [f"p{number}" for number in range(12)]
LINKS = st.lists(
    st.tuples(st.sampled_from(IDS), st.none() | st.sampled_from(IDS), st.none() | st.sampled_from(IDS)), max_size=8
)


def layout(patients: int, buckets: int, nodes: int = 1) -> Layout:
    tables = MappingProxyType({table.name: Written(patients, 1, 1) for table in parquet_tables()})
    node = NodeManifest("a", "1", "0", "duckdb", "2", "now", buckets, tables, {}, {})
    return Layout("/tables", tuple(replace(node, node=f"n{number}") for number in range(nodes)))


def evaluated(part: Part, buckets: int) -> set[str]:
    """Return whom a part evaluates, of all there are."""
    own = {one for one in IDS if bucket_of(one, buckets) in part.buckets}
    return (own - {*part.left_out}) | {*part.brought}


@given(LINKS, st.integers(1, 9), st.integers(1, 20))
def test_every_patient_is_in_one_part_with_the_rest_of_the_person(links: list[Link], buckets: int, size: int) -> None:
    parts = plan_parts(layout(len(IDS), buckets), {"n0": links}, patients=size)
    found = [evaluated(part, buckets) for part in parts]
    assert sorted(one for part in found for one in part) == sorted(IDS)
    for person in joined(links):
        assert len([1 for part in found if part & person]) == 1
    for part in parts:
        assert {bucket_of(one, buckets) for one in part.brought} == {*part.brought_from}
        assert not {*part.brought_from} & {*part.buckets}


@given(LINKS)
def test_the_order_of_links_and_their_direction_change_nothing(links: list[Link]) -> None:
    turned: list[Link] = []
    for patient, replaced_by, replaces in links:
        turned += [(one, None, patient) for one in (replaced_by,) if one]
        turned += [(one, patient, None) for one in (replaces,) if one]
    assert {*joined(links)} == {*joined(turned[::-1])}


def test_parts_are_as_many_as_patients_and_workers_ask_for() -> None:
    def count(patients: int, buckets: int, at_least: int = 1) -> int:
        return len(plan_parts(layout(patients, buckets), {}, patients=10_000, at_least=at_least))

    assert count(100_000, 64) == 10
    assert count(100_001, 64) == 11
    assert count(500, 16, at_least=4) == 4
    assert count(100_000, 4) == 4  # a bucket is not divided
    assert count(0, 16) == 1


def test_patients_of_different_nodes_are_in_different_parts() -> None:
    parts = plan_parts(layout(1_000, 4, nodes=3), {}, patients=10_000)
    assert [(part.number, part.node) for part in parts] == [(0, "n0"), (1, "n1"), (2, "n2")]
    assert parts[2].folders["observation"] == "/tables/observation/node=n2/run=1"
