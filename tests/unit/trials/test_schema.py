"""The JSON Schema for editors is generated, current, and knows every word of the trials that ship."""

from collections.abc import Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.trials.schema import schema_text, trial_schema
from unit.trials.trial_text import ROOT

SCHEMA = trial_schema()


def test_the_file_in_the_repository_is_current() -> None:
    assert (ROOT / "schema" / "trial.schema.json").read_text(encoding="utf-8") == schema_text()


def test_every_reference_is_defined() -> None:
    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            yield from (value for key, value in part.items() if key == "$ref")
            part = list(part.values())
        if isinstance(part, list):
            for item in part:
                yield from references(item)

    assert {name.removeprefix("#/$defs/") for name in references(SCHEMA)} <= set(SCHEMA["$defs"])
    assert set(LEAF_KINDS) <= set(SCHEMA["$defs"])


@pytest.mark.parametrize("name", ["NCT06983964", "T2D-EXAMPLE"])
def test_every_word_of_a_shipped_trial_is_in_the_schema(name: str) -> None:
    trial = YAML(typ="safe", pure=True).load((ROOT / "trials" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert set(SCHEMA["required"]) <= set(trial) <= set(SCHEMA["properties"])
    criterion = SCHEMA["$defs"]["criterion"]
    for one in [*trial["inclusion"], *trial["exclusion"]]:
        assert set(criterion["required"]) <= set(one) <= set(criterion["properties"]), one["id"]
