"""Bad lines: whatever is wrong, and however many they are, exactly they are put aside, and the good ones load."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cohortfinder.jobs.load import load, rebuild_tables
from cohortfinder.landing import blocks, kinds, parts
from cohortfinder.landing.raw_json import Members, has_duplicate_key
from cohortfinder.views.elements import r4_elements
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.fill import _tables_by_type
from cohortfinder.warehouse.misfit import parsed
from cohortfinder.warehouse.reader import Reader
from functional.test_load import observation, put_aside, tables, write

START = '{"resourceType":"Observation","id":"%s"'
GOOD = '{"resourceType":"Observation","id":"%s","status":"final","valueQuantity":{"value":1.50}}'

# Refused with this reason, in compact NDJSON as in any other layout.
WRONG_KINDS = {
    '"valueQuantity":{"value":"130"}': "valueQuantity.value is text where a number belongs",
    '"valueQuantity":{"unit":"g","extension":[{"url":"x"}],"value":"1"}': "valueQuantity.value is text where a number belongs",
    '"valueQuantity":{"value":true}': "valueQuantity.value is true or false where a number belongs",
    '"valueQuantity":{"value":{"value":1}}': "valueQuantity.value is an object where a number belongs",
    '"valueRange":{"low":{"value":1},"high":{"value":"2"}}': "valueRange.high.value is text where a number belongs",
    '"valueRatio":{"numerator":{"value":"1"}}': "valueRatio.numerator.value is text where a number belongs",
    '"valueRatio":{"denominator":{"value":"80"}}': "valueRatio.denominator.value is text where a number belongs",
    '"component":[{"valueQuantity":{"value":"1"}}]': "component.valueQuantity.value is text where a number belongs",
    '"referenceRange":[{"low":{"value":"1"}}]': "referenceRange.low.value is text where a number belongs",
    '"component":[{"referenceRange":[{"high":{"value":"1"}}]}]': (
        "component.referenceRange.high.value is text where a number belongs"
    ),
    '"valueInteger":"5"': "valueInteger is text where a number belongs",
    '"valueInteger":1.5': "valueInteger is no whole number",
    '"valueBoolean":"true"': "valueBoolean is text where true or false belongs",
    '"valueBoolean":1': "valueBoolean is a number where true or false belongs",
    '"code":"718-7"': "code is text where an object belongs",
    '"code":[{"text":"x"}]': "code is an array where an object belongs",
    '"code":{"coding":{"code":"718-7"}}': "code.coding is an object where an array belongs",
    '"code":{"coding":[["718-7"]]}': "code.coding is an array where an object belongs",
    '"component":[7]': "component is a number where an object belongs",
    '"meta":"none"': "meta is text where an object belongs",
    '"status":"final","status":"amended"': "duplicate key",
    '"code":{"text":"a","text":"b"}': "duplicate key",
    '"valueQuantity":{"value":1e400}': "a number is out of range",
    '"valueQuantity":{"value":1e30}': "valueQuantity.value is out of range",
    '"valueInteger":-99999999999': "valueInteger is out of range",
}  # fmt: skip
NOT_JSON = ['"status":}', '"status":"final" "code":{}', '"valueQuantity":{"value":01}', '"status":"fi\x01nal"']
GOOD_ONES = [
    '"identifier":[{"system":"s","value":"4711"}]',
    '"identifier":[{"type":{"coding":[{"code":"x"}]},"value":"4711"}],"valueQuantity":{"value":-3}',
    '"subject":{"identifier":{"value":"5"}}',
    '"note":[{"text":"\\"valueQuantity\\":{\\"value\\":\\"1\\"}"}]',
    '"extension":[{"url":"x","valueQuantity":{"value":"1"}}]',
    '"valueQuantity":{"value":null}',
    '"valueString":"130"',
    '"valueInteger":5',
    '"component":[null]',
    '"code":{"coding":[null]}',
    '"unknownField":{"a":[1,{"b":2}]}',
    '"valueQuantity":{"value":0.010,"comparator":"<"}',
    '"valueString":"caf\\u00e9 \\u0022quoted\\u0022 a\\u0000b"',
]


def loaded_ids(store: Path) -> list[str]:
    with open_warehouse(store, read_only=True) as connection:
        rows = connection.execute("SELECT id FROM store.resource ORDER BY id").fetchall()
        typed = connection.execute("SELECT DISTINCT id FROM observation ORDER BY id").fetchall()
    assert rows == typed
    return [row[0] for row in rows]


@pytest.mark.parametrize("layout", ["compact", "spaced"])
def test_each_wrong_kind_is_put_aside_with_its_place(tmp_path: Path, layout: str) -> None:
    """Each alone in its file, so that every one is met by the quickest way that leads to it."""
    for number, (member, reason) in enumerate(WRONG_KINDS.items()):
        lines = [GOOD % "a", START % "bad" + f",{member}}}", GOOD % "b"]
        if layout == "spaced":
            lines = [line.replace('{"resourceType":', '{ "resourceType": ') for line in lines]
        path = tmp_path / f"{number}.ndjson"
        path.write_text("\n".join(lines) + "\n")
        store = tmp_path / f"store{number}"
        assert load([path], store).exit_status == 3
        assert put_aside(store) == [(str(path), 2, reason)], member
        assert loaded_ids(store) == ["a", "b"], member


def test_what_only_looks_wrong_is_loaded(tmp_path: Path) -> None:
    lines = [START % f"good{number:02}" + f",{member}}}" for number, member in enumerate(GOOD_ONES)]
    (tmp_path / "o.ndjson").write_text("\n".join(lines) + "\n")
    (tmp_path / "spaced.ndjson").write_text(
        "".join(line.replace("{", "{ ", 1).replace("good", "spaced") + "\n" for line in lines)
    )
    summary = load(sorted(tmp_path.glob("*.ndjson")), tmp_path / "store")
    assert summary.reasons == {}
    assert len(loaded_ids(tmp_path / "store")) == 2 * len(GOOD_ONES)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Landing files of a few kilobytes, each of several gzip members."""
    monkeypatch.setattr(parts, "PART_BYTES", 40_000)
    monkeypatch.setattr(parts, "_BLOCK_BYTES", 7_000)
    monkeypatch.setattr(blocks, "_READ_BYTES", 7_000)


def lines_with(bad: list[str], every: int, count: int) -> tuple[list[str], list[int]]:
    """Good lines, every so many a bad one; also the line numbers of the bad ones."""
    lines, numbers = [], []
    for number in range(1, count + 1):
        if number % every == 0:
            lines.append(START % f"bad{number}" + f",{bad[number // every % len(bad)]}}}")
            numbers.append(number)
        else:
            lines.append(GOOD % f"good{number:05}")
    return lines, numbers


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("every", [2, 37, 1500])
def test_many_bad_lines_in_every_part_are_found_one_by_one(tmp_path: Path, every: int) -> None:
    """Lines that a glance lets pass: compact, of one type, ended by a brace."""
    passing = [
        member for member in WRONG_KINDS if '"valueI' not in member and not re.search('Boolean|"value":["t{]', member)
    ]
    lines, numbers = lines_with([*passing, *NOT_JSON], every, 3_000)
    path = tmp_path / "o.ndjson"
    path.write_text("\n".join(lines) + "\n")
    summary = load([path], tmp_path / "store")
    assert {file.suffixes[0] for file in (tmp_path / "store" / "quarantine").iterdir()} == {".tables"}
    assert len(list((tmp_path / "store" / "landing").glob("*/Observation.*"))) > 3
    assert [line for _, line, _ in sorted(put_aside(tmp_path / "store"))] == numbers
    assert loaded_ids(tmp_path / "store") == [f"good{n:05}" for n in range(1, 3_001) if n not in set(numbers)]
    filled = summary.types["Observation"]
    assert filled.read == filled.loaded + filled.superseded + filled.quarantined
    before = tables(tmp_path / "store"), put_aside(tmp_path / "store")
    rebuild_tables(tmp_path / "store")
    assert (tables(tmp_path / "store"), put_aside(tmp_path / "store")) == before


@pytest.mark.usefixtures("small_parts")
def test_bad_lines_of_a_later_load_are_found_as_well(tmp_path: Path) -> None:
    first = tmp_path / "first.ndjson"
    first.write_text("".join(GOOD % f"good{number:05}" + "\n" for number in range(1_000)))
    load([first], tmp_path / "store")
    lines, numbers = lines_with(['"meta":"none"', '"status":}', '"component":[7]'], 97, 2_000)
    second = tmp_path / "second.ndjson"
    second.write_text("\n".join(lines) + "\n")
    summary = load([second], tmp_path / "store")
    assert [line for _, line, _ in put_aside(tmp_path / "store")] == numbers
    assert summary.types["Observation"].superseded == 1_000 - 1 - len([n for n in numbers if n < 1_000])
    assert len(loaded_ids(tmp_path / "store")) == 2_001 - len([n for n in numbers if n >= 1_000])


def test_lines_without_an_id_are_found(tmp_path: Path) -> None:
    path = tmp_path / "o.ndjson"
    nameless = [
        '{"resourceType":"Observation","status":"final"}',
        '{"resourceType":"Observation","id":"","status":"x"}',
    ]
    path.write_text("\n".join([GOOD % "a", *nameless, GOOD % "b"]) + "\n")
    load([path], tmp_path / "store")
    assert [line for _, line, _ in put_aside(tmp_path / "store")] == [2, 3]
    assert loaded_ids(tmp_path / "store") == ["a", "b"]


def test_a_type_without_a_table_is_counted_and_its_bad_lines_are_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "c.ndjson"
    claim = '{"resourceType":"Claim","id":"%s"}'
    path.write_text(
        "\n".join([claim % "a", '{"resourceType":"Claim","status":}', '{"resourceType":"Claim"}', claim % "b"]) + "\n"
    )
    for _ in range(2):
        summary = load([path], tmp_path / "store")
        assert (summary.types["Claim"].read, summary.types["Claim"].quarantined) == (4, 2)
    with open_warehouse(tmp_path / "store", read_only=True) as connection:
        assert connection.execute("SELECT id FROM store.resource ORDER BY id").fetchall() == [("a",), ("b",)]


def test_a_line_of_20_mb_loads_and_one_of_33_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "long.ndjson"
    with path.open("w") as out:
        out.writelines(
            START % name + f',"text":{{"div":"{"x" * size}"}}}}\n'
            for name, size in (("a", 20 * 10**6), ("b", 33 * 10**6), ("c", 1))
        )
    load([path], tmp_path / "store")
    assert put_aside(tmp_path / "store") == [(str(path), 2, "longer than 32 MB")]
    assert loaded_ids(tmp_path / "store") == ["a", "c"]


def test_a_key_that_stands_twice_is_noticed_wherever_it_could_matter(tmp_path: Path) -> None:
    """In compact NDJSON only in what the tables read (docs/limitations.md); in every other form anywhere."""
    unread = START % "x" + ',"text":{"status":"empty","status":"empty"}}'
    (tmp_path / "compact.ndjson").write_text(unread + "\n" + GOOD % "a" + "\n")
    (tmp_path / "spaced.ndjson").write_text(unread.replace("{", "{ ", 1) + "\n" + GOOD % "b" + "\n")
    (tmp_path / "bundle.json").write_text(
        f'{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{unread}}},{{"resource":{GOOD % "c"}}}]}}'
    )
    load(sorted(tmp_path.glob("*.*json")), tmp_path / "store")
    assert [(Path(file).name, reason) for file, _, reason in put_aside(tmp_path / "store")] == [
        ("bundle.json", "entry 1: duplicate key"),
        ("spaced.ndjson", "duplicate key"),
    ]
    assert loaded_ids(tmp_path / "store") == ["a", "b", "c", "x"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", '"', "é"]) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=2) | st.lists(st.tuples(st.sampled_from(["id", "value", "coding", "a"]), inner), max_size=3),
    max_leaves=8,
)  # fmt: skip


def text_of(value: Any, quote: str = '\\"') -> str:
    """JSON text of a value in which a list of pairs is an object, so that a key can stand there twice."""
    if isinstance(value, list) and value and all(isinstance(one, tuple) for one in value):
        return "{" + ",".join(f'"{key}":{text_of(inner, quote)}' for key, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(text_of(one, quote) for one in value) + "]"
    return json.dumps(value).replace('\\"', quote) if isinstance(value, str) else json.dumps(value)


def doubled(value: Any) -> bool:
    """Say by itself whether a key stands twice in one of the objects."""
    if not isinstance(value, list):
        return False
    if value and all(isinstance(one, tuple) for one in value):
        keys = [key for key, _ in value]
        return len(set(keys)) < len(keys) or any(doubled(inner) for _, inner in value)
    return any(doubled(one) for one in value)


@settings(max_examples=300)
@given(JSON_VALUES, st.sampled_from(['\\"', "\\u0022"]))
def test_a_duplicate_key_is_seen_in_any_json(value: Any, quote: str) -> None:
    raw = text_of(value, quote).encode()
    assert has_duplicate_key(raw, json.loads(raw)) == doubled(value)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    store = tmp_path_factory.mktemp("reader")
    with open_warehouse(store) as connection:
        yield Reader(connection, _tables_by_type()["Observation"], store)


def test_a_bad_line_in_any_script_is_put_aside(tmp_path: Path) -> None:
    """The reader quotes a value in its message, and may cut it in the middle of a character."""
    values = [f'{{"value":{{"text":"{"a" * pad}{sign * 300}"}}}}' for pad in range(4) for sign in ("é", "阴", "𠮷")]
    values.append('{"value":{"id":{"coding":null,"coding":-1,"id":"\\u00e9"}}}')
    good, bad = observation("good", 1, 10), [f'{START % f"bad{n}"},"component":{one}}}' for n, one in enumerate(values)]
    (tmp_path / "o.ndjson").write_text("\n".join([json.dumps(good), *bad]) + "\n", encoding="utf-8")
    load([tmp_path / "o.ndjson"], tmp_path / "store")
    assert loaded_ids(tmp_path / "store") == ["good"]
    assert len(put_aside(tmp_path / "store")) == len(bad)


PLACES = st.sampled_from(
    [
        "meta",
        "id",
        "status",
        "code",
        "subject",
        "component",
        "valueQuantity",
        "valueInteger",
        "interpretation",
        "referenceRange",
    ]
)
SHAPED = st.sampled_from(["%s", '{"coding":%s}', '[{"coding":%s}]', '{"value":%s}', '[{"code":{"coding":[%s]}}]', '[{"low":{"value":%s}}]', '{"reference":%s}'])  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(PLACES, SHAPED, JSON_VALUES)
@example("component", '{"value":%s}', [[("id", [("coding", None), ("coding", -1), ("id", "\xe9")])]])
def test_only_what_the_reader_refuses_is_blamed(reader: Reader, place: str, shaped: str, value: Any) -> None:
    """Else a good line would be lost because a bad one stands near it."""
    line = f'{{"resourceType":"Observation","id":"x","{place}":{shaped % text_of(value)}}}'.encode()
    if reader.misfit(parsed(line)):
        assert reader.refuses([line])


@pytest.mark.parametrize("line", [START % "x" + f",{member}}}" for member in WRONG_KINDS])
def test_what_landing_lets_pass_is_found_without_halving(reader: Reader, line: str) -> None:
    """Halving is slow: it is for what nobody has thought of."""
    by_number = ('"130"', '"1"', '"2"', '"80"', '"5"', ":true}", ":1.5", "Boolean", "1e400")
    assert any(number in line for number in by_number) or reader.misfit(parsed(line.encode()))
    assert isinstance(parsed((START % "x" + ',"a":1,"a":2}').encode()), Members)


def test_every_quantity_of_the_types_that_are_looked_at_is_known() -> None:
    known = {"Quantity", "SimpleQuantity", "Age", "Duration", "Count", "Distance"}
    roots = {*kinds._SUSPECTS, "Dosage", "Range", "Ratio", "SampledData", "Timing"}
    names = {
        path.split(".")[-1].replace("[x]", str(code).removeprefix("Simple"))
        for path, (_, *codes) in r4_elements().elements.items()
        for code in codes
        if path.split(".")[0] in roots and code in known
    }
    assert names == kinds.QUANTITIES


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
@pytest.mark.parametrize("again", [False, True])
def test_of_one_version_with_two_contents_the_same_wins_in_any_order(
    tmp_path: Path, order: tuple[int, int], again: bool
) -> None:
    """Also where the first load went straight into the tables, without a look at the text of its lines."""
    files = {
        number: write(
            tmp_path / f"{number}.ndjson", observation("o", 1, number * 10.0), observation(f"p{number}", 1, 1)
        )
        for number in (1, 2)
    }
    other = write(
        tmp_path / "other.ndjson",
        observation("o", 1, 10.0),
        observation("o", 1, 20.0),
        observation("p1", 1, 1),
        observation("p2", 1, 1),
    )
    for number in order:
        load([files[number]], tmp_path / "store")
    if again:
        assert load([files[order[0]]], tmp_path / "store").loaded == 0
        rebuild_tables(tmp_path / "store")
    load([other], tmp_path / "at once")
    assert tables(tmp_path / "store") == tables(tmp_path / "at once")


def test_what_comes_again_without_any_version_is_superseded(tmp_path: Path) -> None:
    bare = {key: value for key, value in observation("o", 1, 10).items() if key != "meta"}
    path = write(tmp_path / "o.ndjson", bare)
    load([path], tmp_path / "store")
    for _ in range(2):
        assert load([path], tmp_path / "store").loaded == 0
    changed = write(tmp_path / "changed.ndjson", {**bare, "status": "amended"})
    assert load([changed], tmp_path / "store").loaded == 1
    assert load([changed], tmp_path / "store").loaded == 0
