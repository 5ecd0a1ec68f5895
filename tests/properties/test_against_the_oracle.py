"""For every small trial and hospital, the SQL engine says what the oracle says."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.model import Criterion, Trial, leaves_of
from cohortfinder.resources import resource_dir
from properties.engine import Told, screened, told
from properties.resources import AS_OFS, hospitals
from properties.trials import QUESTIONS, ZONE, trial_of, trials
from reference.evaluate import LEAVES, Outcome, changes_on, listed, outcome_of
from reference.mappings import Mappings
from reference.site import Site
from reference.truth import VERDICT

# a result without a usable value: the engine also says of which kind it is
NO_VALUE = ("not_numeric", "no_polarity")
HORIZON = 120


@cache
def mappings() -> Mappings:
    return Mappings(resource_dir("mappings"))


def site_of(resources: list[dict[str, Any]]) -> Site:
    return Site(resources, mappings(), ZONE)


def by_patient(trial: Trial, resources: list[dict[str, Any]], as_of: date) -> dict[tuple[str, str], Outcome]:
    """What the oracle says of each patient and criterion."""
    site = site_of(resources)
    return {
        (patient, criterion.id): outcome_of(site, criterion, patient, as_of)
        for patient in site.by_patient
        for criterion in trial.criteria
    }


def difference(criterion: Criterion, outcome: Outcome, engine: Told) -> str | None:
    """Say in which word the two differ; a decided verdict needs no reason, an open one no flag."""
    verdict = VERDICT[criterion.kind, engine.truth]
    if verdict != outcome.verdict:
        return f"oracle {outcome.verdict} {outcome.reasons}, engine {verdict} {sorted(engine.reasons)}"
    if outcome.suggested != engine.suggested:
        return f"oracle suggested {outcome.suggested}, engine {engine.suggested}"
    if verdict == "unknown":
        return None if plain(outcome.reasons) == plain(engine.reasons) else f"{outcome.reasons} {engine.reasons}"
    return None if outcome.flags == engine.flags else f"flags {sorted(outcome.flags)}, engine {sorted(engine.flags)}"


def plain(reasons: Any) -> set[tuple[str, str]]:
    return {(leaf, "no_value" if code in NO_VALUE else code) for leaf, code in reasons}


def disagreements(
    trial: Trial, oracle: Mapping[tuple[str, str], Outcome], engine: Mapping[tuple[str, str], Told]
) -> list[str]:
    criteria = {criterion.id: criterion for criterion in trial.criteria}
    found = [(key, difference(criteria[key[1]], oracle[key], said)) for key, said in engine.items()]
    return [f"{key}: {text} of {criteria[key[1]].rule}" for key, text in found if text]


@settings(max_examples=30)
@given(st.data())
def test_each_leaf_has_the_truth_reason_and_flags_of_the_oracle(
    connection: duckdb.DuckDBPyConnection, folder: Path, data: st.DataObject
) -> None:
    as_of = data.draw(st.sampled_from(AS_OFS))
    trial, resources = data.draw(trials(criteria=12, depth=0)), data.draw(hospitals(as_of))
    screened(connection, trial, resources, folder, as_of)
    assert disagreements(trial, by_patient(trial, resources, as_of), told(connection)) == []


@settings(max_examples=15)
@given(st.data())
def test_each_rule_and_the_listing_are_those_of_the_oracle(
    connection: duckdb.DuckDBPyConnection, folder: Path, data: st.DataObject
) -> None:
    """Only the listed patients are evaluated, and they are the oracle's."""
    as_of = data.draw(st.sampled_from(AS_OFS))
    trial, resources = data.draw(trials(criteria=5)), data.draw(hospitals(as_of))
    screened(connection, trial, resources, folder, as_of, everyone=False)
    oracle = by_patient(trial, resources, as_of)
    arms = set(connection.execute("SELECT patient_id, arm FROM listing").fetchall())
    expected = listed(trial, resources, resource_dir("mappings"), as_of)
    odd = [(patient, oracle[patient, "C1"]) for patient, _ in arms ^ expected]
    assert odd == [], trial.criteria[0]
    assert disagreements(trial, oracle, told(connection)) == []


@settings(max_examples=15)
@given(st.data())
def test_a_verdict_changes_on_the_day_on_which_the_oracle_changes_its_own(
    connection: duckdb.DuckDBPyConnection, folder: Path, data: st.DataObject
) -> None:
    """`changes_on` equals asking again on each of the next 120 days."""
    as_of = data.draw(st.sampled_from(AS_OFS))
    trial, resources = data.draw(trials(criteria=3, depth=1)), data.draw(hospitals(as_of, 2, 5))
    screened(connection, trial, resources, folder, as_of, horizon_years=1)
    horizon, site = date.fromordinal(as_of.toordinal() + HORIZON), site_of(resources)
    criteria = {criterion.id: criterion for criterion in trial.criteria}
    rows = connection.execute("SELECT patient_id, criterion_id, changes_on FROM verdict").fetchall()
    engine = {(patient, name): day if day and day <= horizon else None for patient, name, day in rows}
    assert engine == {
        (patient, name): changes_on(site, criteria[name], patient, as_of, horizon) for patient, name in engine
    }


@settings(max_examples=5)
@given(st.data())
def test_the_order_of_the_resources_changes_nothing(
    connection: duckdb.DuckDBPyConnection, folder: Path, data: st.DataObject
) -> None:
    as_of = data.draw(st.sampled_from(AS_OFS))
    trial, resources = data.draw(trials(criteria=12, depth=0)), data.draw(hospitals(as_of))
    screened(connection, trial, resources, folder, as_of)
    first = told(connection)
    screened(connection, trial, data.draw(st.permutations(resources)), folder, as_of)
    assert told(connection) == first


def test_every_leaf_kind_is_generated_and_known_to_the_oracle() -> None:
    """A new leaf kind needs its own strategy and its own part of the oracle."""
    seen: set[str] = set()

    @settings(max_examples=25)
    @given(trials(criteria=12))
    def collect(trial: Trial) -> None:
        seen.update(leaf.kind for criterion in trial.criteria if criterion.rule for leaf in leaves_of(criterion.rule))

    collect()
    assert seen == set(LEAF_KINDS) == set(QUESTIONS) == set(LEAVES)


@settings(max_examples=8)
@given(st.data())
def test_need_all_and_any_count_their_children(
    connection: duckdb.DuckDBPyConnection, folder: Path, data: st.DataObject
) -> None:
    """Kleene's logic, said by counting: so many are true, so many may still become true."""
    known = {"true": {"sex": "male"}, "false": {"sex": "female"}, "open": {"judgement": "the chart"}}
    children = data.draw(st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=4))
    words = [known[child] for child in children]
    sure, possible = children.count("true"), len(children) - children.count("false")
    needs = list(range(1, len(children) + 1))
    rules: list[dict[str, Any]] = [{"need": need, "of": words} for need in needs]
    rules += [{"all": words}, {"any": words}, {"not": {"all": words}}]
    screened(connection, trial_of(rules, ["inclusion"] * len(rules)), [MAN], folder, AS_OFS[0])
    truths = [engine.truth for _, engine in sorted(told(connection).items())]
    expected = [True if sure >= need else None if possible >= need else False for need in needs]
    everything, something = expected[-1], expected[0]
    assert truths == [*expected, everything, something, None if everything is None else not everything]


MAN = {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1980-01-01"}
