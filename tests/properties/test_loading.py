"""Loading the same files in another order, or twice, changes nothing."""

import json
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cohortfinder.engine.screening import screen
from cohortfinder.jobs.load import load
from cohortfinder.model import Trial
from cohortfinder.warehouse.connection import open_warehouse
from properties.engine import Told, terminology, told
from properties.moments import AS_OFS
from properties.resources import drawn, hospital
from properties.trials import a_trial, rules


def write(resources: list[dict[str, Any]], path: Path) -> Path:
    path.write_text("".join(json.dumps(resource) + "\n" for resource in resources), encoding="utf-8")
    return path


def screened_store(store: Path, trial: Trial) -> dict[tuple[str, str], Told]:
    with open_warehouse(store, read_only=True) as connection:
        screen(
            connection, trial, terminology(), as_of=AS_OFS[0], loaded={"Patient": True}, everyone=True, horizon_years=0
        )
        return told(connection)


@pytest.mark.parametrize("seed", [1, 2])
def test_loading_in_another_order_or_twice_changes_nothing(seed: int) -> None:
    trial, resources = a_trial(drawn(rules(depth=0), 12, seed)), hospital(AS_OFS[0], 20, seed)
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = write(resources, folder / "a.ndjson")
        shuffled = write(Random(seed).sample(resources, len(resources)), folder / "b.ndjson")
        load([file], folder / "one")
        load([shuffled], folder / "two")
        first = screened_store(folder / "one", trial)
        assert screened_store(folder / "two", trial) == first
        load([file], folder / "one")
        assert screened_store(folder / "one", trial) == first
