"""Every option of every leaf kind is held against the oracle: those that are seldom drawn by rules of their own."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.trials.leaves import option_names
from properties.engine import screened, told
from properties.moments import AS_OFS
from properties.resources import drawn, hospital
from properties.test_against_the_oracle import by_patient, disagreements, site_of, unsupported
from properties.trials import Options, a_trial, rules

SELDOM: list[Options] = [
    {"formula": "cockcroft_gault", "above": "60 mL/min"},
    {"formula": "cockcroft_gault", "between": ["30 mL/min", "90 mL/min"]},
    {"formula": "spo2_room_air", "at_least": "92 %", "assume": "room_air"},
    {"observation": "hbv_dna", "is": "negative", "below_detection": "negative"},
    {"dose": "rx_methotrexate", "below": "20 mg/wk"},
    {"dose": "rx_glucocorticoid_systemic", "as": "prednisone", "below": "20 mg/d"},
]
# silence says nothing here, whatever the rule says of it
SILENT = {(kind, "absence") for kind in ("age", "series", "change", "formula", "judgement")}


def _options(words: Any) -> Iterator[tuple[str, str]]:
    """Yield the kind of each leaf with each of its options."""
    if isinstance(words, list):
        for child in words:
            yield from _options(child)
    if isinstance(words, dict):
        kind = next((word for word in words if word in LEAF_KINDS), None)
        yield from ((kind, option) for option in words if kind)
        for child in words.values():
            yield from _options(child)


def test_every_option_is_drawn_or_asked_here() -> None:
    asked = set(_options(drawn(rules(), 400))) | set(_options(SELDOM))
    known = {(kind, option) for kind in LEAF_KINDS for option in option_names(kind)}
    missing: defaultdict[str, set[str]] = defaultdict(set)
    for kind, option in known - asked - SILENT:
        missing[kind].add(option)
    assert missing == {}


def test_options_that_are_seldom_drawn_have_the_answers_of_the_oracle(
    connection: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    as_of = AS_OFS[0]
    trial, resources = a_trial(SELDOM), hospital(as_of, 150, 70)
    screened(connection, trial, resources, folder, as_of)
    said = told(connection)
    assert disagreements(trial, by_patient(trial, resources, as_of), said) == []
    assert unsupported(trial, site_of(resources), as_of, said) == []
    assert {one.truth for one in said.values()} == {True, False, None}
