"""For every small trial and hospital, a concept settles the verdicts that the oracle settles by trying every answer."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohortfinder.engine.unknowns import depth_of
from cohortfinder.model import Trial
from cohortfinder.sql.environment import render
from length import AT_LENGTH
from properties.engine import screened
from properties.moments import AS_OFS
from properties.resources import drawn, hospital
from properties.test_against_the_oracle import site_of
from properties.trials import a_trial, rules
from reference.unknowns import settled_by

Settled = dict[tuple[str, str], dict[str, tuple[bool, bool]]]


def settled(connection: duckdb.DuckDBPyConnection, trial: Trial) -> Settled:
    """What the engine says of each unknown patient and criterion."""
    asked = render("quality/settled.sql.jinja", by="concept", depth=depth_of(trial))
    connection.execute(asked.text, asked.parameters)
    rows = connection.execute(
        "SELECT patient_id, asked, concept, either_way, one_way FROM open_verdict JOIN settled USING (asked, answers)"
    )
    found: Settled = {}
    for patient, criterion, concept, either_way, one_way in rows.fetchall():
        found.setdefault((patient, criterion), {})[concept] = (either_way, one_way)
    return found


def expected(trial: Trial, resources: list[dict[str, Any]], as_of: date) -> dict[tuple[str, str], Any]:
    """What the oracle says of each patient and criterion."""
    site = site_of(resources)
    return {
        (patient, criterion.id): settled_by(site, criterion, patient, as_of)
        for patient in site.by_patient
        for criterion in trial.criteria
    }


@pytest.mark.parametrize("seed", range(9 if AT_LENGTH else 2))
def test_a_concept_settles_what_the_oracle_settles_by_trying_every_answer(
    connection: duckdb.DuckDBPyConnection, folder: Path, seed: int
) -> None:
    as_of = AS_OFS[seed % 3]
    trial, resources = a_trial(drawn(rules(), 40, seed + 50)), hospital(as_of, 60, seed + 50)
    screened(connection, trial, resources, folder, as_of)
    engine, oracle = settled(connection, trial), expected(trial, resources, as_of)
    living = {patient for (patient,) in connection.execute("SELECT patient_id FROM listing").fetchall()}
    odd = [
        (key, said, engine.get(key, {}))
        for key, said in oracle.items()
        if key[0] in living and said is not None and said != engine.get(key, {})
    ]
    assert odd == []
    answers = {answer for said in engine.values() for answer in said.values()}
    assert answers == {(True, True), (False, True), (False, False)}
