"""However a server labels, changes and deletes, a series of pulls ends with the tables of one pull of everything."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.jobs.load import rebuild_tables
from cohortfinder.jobs.pull import Options, pull
from cohortfinder.settings import read_settings
from cohortfinder.warehouse.connection import open_warehouse
from cohortfinder.warehouse.tables import typed_tables
from exported_server import ExportedServer
from functional.test_pull import CONFIGURATION, TRIAL, condition, observation, patient
from length import AT_LENGTH
from searched_server import Resource, serving, with_habits

SERIES = 16 if AT_LENGTH else 2
LABELS = ((), (), (), ("V",), ("R",), ("R", "42CFRPart2"))
MAKERS = {"Patient": patient, "Observation": observation, "Condition": condition}


def tables(store: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the tables."""
    with open_warehouse(store, read_only=True) as connection:
        return {
            table.name: sorted(connection.execute(f"SELECT * FROM {table.name}").fetchall(), key=repr)
            for table in typed_tables()
        }


def resource(chance: random.Random) -> Resource:
    """One of a few resources, with some labels or none."""
    kind = chance.choice([*MAKERS])
    labels = [{"code": code} for code in chance.choice(LABELS)]
    return {**MAKERS[kind](f"{kind[0].lower()}{chance.randrange(4)}"), "meta": {"security": labels}}


def live(server: ExportedServer, chance: random.Random) -> None:
    """Let a day pass: something is written, with labels or without, and something deleted."""
    server.put(*(resource(chance) for _ in range(chance.randint(1, 4))))
    if chance.random() < 0.4:
        server.delete(*chance.choice(sorted(server.held)))
    server.sleep(hours=24)


@pytest.mark.parametrize("seed", range(SERIES))
def test_a_series_of_pulls_ends_as_one_pull_of_everything(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with serving(ExportedServer()) as server:
        assert isinstance(server, ExportedServer)
        with_habits(server, history=chance.random() < 0.5)
        (tmp_path / "trial.yaml").write_text(TRIAL, encoding="utf-8")
        file = tmp_path / "site.toml"
        file.write_text(CONFIGURATION.format(folder=tmp_path, trial="trial.yaml", url=server.url, page_size=3))
        settings = read_settings(file)
        server.put(*(make(f"{kind[0].lower()}{number}") for kind, make in MAKERS.items() for number in range(4)))
        server.sleep(hours=1)
        for _ in range(4):
            pull(settings, Options(bulk=chance.random() < 0.4, full=chance.random() < 0.3, sweep=True))
            live(server, chance)
        pull(settings, Options(bulk=chance.random() < 0.5, sweep=True))
        found = tables(settings.store)
        rebuild_tables(settings.store)
        assert tables(settings.store) == found
        whole = replace(settings, store=tmp_path / "whole")
        pull(whole, Options(full=True))
        assert found == tables(whole.store)
