"""Loading the same files in another order, or twice, changes nothing."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cohortfinder.engine.screening import screen
from cohortfinder.jobs.load import load
from cohortfinder.model import Trial
from cohortfinder.warehouse.connection import open_warehouse
from properties.engine import Told, terminology, told
from properties.resources import AS_OFS, hospitals
from properties.trials import trials


def write(resources: list[dict[str, Any]], path: Path) -> Path:
    path.write_text("".join(json.dumps(resource) + "\n" for resource in resources), encoding="utf-8")
    return path


def screened_store(store: Path, trial: Trial) -> dict[tuple[str, str], Told]:
    with open_warehouse(store, read_only=True) as connection:
        screen(
            connection, trial, terminology(), as_of=AS_OFS[0], loaded={"Patient": True}, everyone=True, horizon_years=0
        )
        return told(connection)


@settings(max_examples=2)
@given(st.data())
def test_loading_in_another_order_or_twice_changes_nothing(data: st.DataObject) -> None:
    trial, resources = data.draw(trials(criteria=8, depth=0)), data.draw(hospitals(AS_OFS[0]))
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = write(resources, folder / "a.ndjson")
        shuffled = write(data.draw(st.permutations(resources)), folder / "b.ndjson")
        load([file], folder / "one")
        load([shuffled], folder / "two")
        first = screened_store(folder / "one", trial)
        assert screened_store(folder / "two", trial) == first
        load([file], folder / "one")
        assert screened_store(folder / "one", trial) == first
