"""The digits that a number alone does not tell are kept at landing, and no others."""

import gzip
import json
from pathlib import Path

import pytest

from cohortfinder.landing.digits import DIGITS, DigitsWriter


def kept(folder: Path, *lines: str) -> list[tuple[str, int | None, str]]:
    writer = DigitsWriter(folder)
    writer.add("".join(f"{line}\n" for line in lines).encode())
    writer.flush()
    file = folder / DIGITS
    rows = [json.loads(row) for row in gzip.decompress(file.read_bytes()).splitlines()] if file.exists() else []
    assert writer.count == len(rows)
    return [(row["id"], row["component"], row["value_sent"]) for row in rows]


def quantity(own_id: str, number: str) -> str:
    return f'{{"resourceType":"Observation","id":"{own_id}","valueQuantity":{{"value":{number},"unit":"mg"}}}}'


@pytest.mark.parametrize("number", ["0.010", "5.0", "-1.50", "1e2", "1.5E-3", "0.12345678901", "100.00"])
def test_a_text_that_says_more_than_its_number_is_kept(tmp_path: Path, number: str) -> None:
    assert kept(tmp_path, quantity("a", number)) == [("a", None, number)]


@pytest.mark.parametrize("number", ["5", "0.01", "-1.5", "100", "0.1234567891"])
def test_a_text_that_its_number_tells_is_not(tmp_path: Path, number: str) -> None:
    assert kept(tmp_path, quantity("a", number)) == []


def test_each_line_and_each_component_is_looked_at_once(tmp_path: Path) -> None:
    pressures = (
        '{"resourceType":"Observation","id":"bp","component":[{"valueQuantity":{"value":120.0}},{"valueQuantity":'
        '{ "value" : 80 }},{"valueQuantity":{"value":1.10}}],"referenceRange":[{"low":{"value":1.0}}]}'
    )
    lines = (quantity("a", "1"), pressures, quantity("b", "2.0"), quantity("c", "3.5"))
    assert kept(tmp_path, *lines) == [("bp", 0, "120.0"), ("bp", 2, "1.10"), ("b", None, "2.0")]


@pytest.mark.parametrize(
    "line",
    [
        '{"resourceType":"Observation","id":"a","valueQuantity":{"value":1.0,}}',
        '[{"value":1.0}]',
        '{"id":"a","component":{"valueQuantity":{"value":1.0}},"meta":[]}',
        '{"id":"a","component":[null,1,{"valueQuantity":[{"value":1.0}]}]}',
        '{"id":"a","valueQuantity":{"value":"1.0"}}',
    ],
)
def test_what_is_put_aside_elsewhere_is_passed_over(tmp_path: Path, line: str) -> None:
    assert kept(tmp_path, line) == []
