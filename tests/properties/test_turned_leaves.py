"""Why a verdict changes: what is known of single leaves since they were followed spares questions, and changes no answer."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohortfinder.engine.asking import Asker
from cohortfinder.engine.outlook import tell_turns
from cohortfinder.engine.screening import screen
from length import AT_LENGTH
from properties.engine import landed, screened, terminology
from properties.moments import AS_OFS
from properties.resources import drawn, hospital
from properties.trials import a_trial, rules

PEOPLE = 40
ROWS = "SELECT patient_id, asked, day, place, leaf, was, truth, code_before, code, evidence_before, evidence FROM turned_leaf"


@pytest.mark.parametrize("seed", range(3 if AT_LENGTH else 1))
def test_all_leaves_of_a_rule_tell_what_those_that_turn_tell(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_of, trial, filled = AS_OFS[seed], a_trial(drawn(rules(depth=2), 12, seed)), duckdb.connect()
    resources = hospital(as_of, PEOPLE, seed)
    screened(filled, trial, resources, tmp_path, as_of)
    engine, told = filled.cursor(), list[tuple[Any, Any]]()

    def told_twice(asker: Asker, until: Any) -> None:
        tell_turns(asker, until)
        sparing = asker.engine.connection.execute(ROWS).fetchall()
        turning = asker.engine.connection.execute("SELECT DISTINCT turning FROM known_turn").fetchall()
        asker.engine.connection.execute("DELETE FROM leaf_turn")
        tell_turns(asker, until)
        told.append(([sparing, turning], asker.engine.connection.execute(ROWS).fetchall()))

    monkeypatch.setattr("cohortfinder.engine.screening.tell_turns", told_twice)
    loaded = landed(resources, tmp_path)
    screen(engine, trial, terminology(), as_of=as_of, loaded=loaded, everyone=True, horizon_years=1, outlook_weeks=26)
    [((sparing, turning), thorough)] = told
    assert sorted(map(repr, sparing)) == sorted(map(repr, thorough))
    assert len({number for (number,) in turning}) > 1, "no change rests on one leaf, or none on several"
