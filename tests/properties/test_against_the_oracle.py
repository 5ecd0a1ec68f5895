"""For every small trial and hospital, the SQL engine says what the oracle says."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortfinder.criteria.registry import LEAF_KINDS
from cohortfinder.engine import screening
from cohortfinder.model import Criterion, Trial, leaves_of
from cohortfinder.resources import resource_dir
from length import AT_LENGTH
from properties.engine import Told, screened, told
from properties.evidence import faults
from properties.moments import AS_OFS
from properties.resources import PEOPLE, drawn, hospital
from properties.trials import QUESTIONS, ZONE, a_trial, build_rule, rules, trial_of
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
        either = plain(outcome.reasons) ^ plain(engine.reasons)
        settled = not either or either <= plain(outcome.open_reasons) | plain(outcome.reasons)
        same = {leaf for leaf, _ in outcome.reasons} == {leaf for leaf, _ in engine.reasons}
        return None if settled and same else f"{outcome.reasons} {engine.reasons}"
    settled = outcome.flags - outcome.open_flags <= engine.flags <= outcome.flags | outcome.open_flags
    return None if settled else f"flags {sorted(outcome.flags)}, engine {sorted(engine.flags)}"


def plain(reasons: Any) -> set[tuple[str, str]]:
    return {(leaf, "no_value" if code in NO_VALUE else code) for leaf, code in reasons}


def disagreements(
    trial: Trial, oracle: Mapping[tuple[str, str], Outcome], engine: Mapping[tuple[str, str], Told]
) -> list[str]:
    criteria = {criterion.id: criterion for criterion in trial.criteria}
    found = [(key, difference(criteria[key[1]], oracle[key], said)) for key, said in engine.items()]
    return [f"{key}: {text} of {criteria[key[1]].rule}" for key, text in found if text]


def unsupported(
    trial: Trial, site: Site, as_of: date, engine: Mapping[tuple[str, str], Told]
) -> list[tuple[str, str, str]]:
    """What is wrong with the evidence, which is that of the leaves that decide; see properties.evidence."""
    rules = {criterion.id: criterion.rule for criterion in trial.criteria}
    found = []
    for (patient, criterion), said in engine.items():
        leaves = {leaf.id: leaf for leaf in leaves_of(rules[criterion])} if rules[criterion] else {}
        named = {item.leaf for item in said.evidence}
        deciding = {leaf for leaf, _ in said.reasons if leaves[leaf].kind != "judgement"}
        wrong = [] if deciding <= named <= set(leaves) else [f"of {named}, decided by {deciding}"]
        for leaf in named & set(leaves):
            wrong += faults(site, leaves[leaf], patient, as_of, [item for item in said.evidence if item.leaf == leaf])
        found += [(patient, criterion, fault) for fault in wrong]
    return found


@pytest.mark.parametrize("as_of", AS_OFS)
def test_each_leaf_has_the_truth_reason_flags_and_evidence_of_the_oracle(
    connection: duckdb.DuckDBPyConnection, folder: Path, as_of: date
) -> None:
    seed = AS_OFS.index(as_of)
    trial, resources = a_trial(drawn(rules(depth=0), 60, seed)), hospital(as_of, PEOPLE, seed)
    screened(connection, trial, resources, folder, as_of)
    said = told(connection)
    assert disagreements(trial, by_patient(trial, resources, as_of), said) == []
    assert unsupported(trial, site_of(resources), as_of, said) == []


@pytest.mark.parametrize("seed", range(12 if AT_LENGTH else 2))
def test_each_rule_and_the_listing_are_those_of_the_oracle(
    connection: duckdb.DuckDBPyConnection, folder: Path, seed: int
) -> None:
    """Only the listed patients are evaluated, and they are the oracle's."""
    as_of = AS_OFS[seed % 3]
    trial, resources = a_trial(drawn(rules(), 20, seed)[seed:]), hospital(as_of, 80, seed + 10)
    screened(connection, trial, resources, folder, as_of, everyone=False)
    oracle = by_patient(trial, resources, as_of)
    arms = set(connection.execute("SELECT patient_id, arm FROM listing").fetchall())
    expected = listed(trial, resources, resource_dir("mappings"), as_of)
    odd = [(patient, oracle[patient, "C1"]) for patient, _ in arms ^ expected]
    assert odd == [], trial.criteria[0]
    said = told(connection)
    assert disagreements(trial, oracle, said) == []
    assert unsupported(trial, site_of(resources), as_of, said) == []


@pytest.mark.parametrize("as_of", AS_OFS)
def test_a_verdict_changes_on_the_day_on_which_the_oracle_changes_its_own(
    connection: duckdb.DuckDBPyConnection, folder: Path, as_of: date
) -> None:
    """`changes_on` equals asking again on each of the next 120 days."""
    seed = AS_OFS.index(as_of)
    trial, resources = a_trial(drawn(rules(depth=1), 10, seed + 20)), hospital(as_of, 20, seed + 20)
    screened(connection, trial, resources, folder, as_of, horizon_years=1)
    horizon, site = date.fromordinal(as_of.toordinal() + HORIZON), site_of(resources)
    criteria = {criterion.id: criterion for criterion in trial.criteria}
    rows = connection.execute("SELECT patient_id, criterion_id, changes_on FROM verdict").fetchall()
    engine = {(patient, name): day if day and day <= horizon else None for patient, name, day in rows}
    oracle = {(p, name): changes_on(site, criteria[name], p, as_of, horizon) for p, name in engine}
    odd = [(key, day, engine[key], criteria[key[1]].rule) for key, day in oracle.items() if day != engine[key]]
    assert odd == []


def test_how_many_are_evaluated_at_a_time_and_days_asked_at_once_changes_nothing(
    connection: duckdb.DuckDBPyConnection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_of, found = AS_OFS[1], []
    trial, resources = a_trial(drawn(rules(depth=1), 12, 40)), hospital(as_of, 40, 40)
    for part, few in ((10_000, 500), (7, 0), (7, 10_000)):
        monkeypatch.setattr(screening, "_PART", part)
        monkeypatch.setattr(screening, "_FEW", few)
        screened(connection, trial, resources, folder, as_of, everyone=False, horizon_years=1)
        found.append(
            [connection.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in ("verdict", "eligible_from")]
        )
    assert found[0][0]
    assert any(row[-1] for row in found[0][0])
    assert found[1:] == found[:1] * 2


def test_the_order_of_the_resources_changes_nothing(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    as_of = AS_OFS[0]
    trial, resources = a_trial(drawn(rules(depth=0), 60, 30)), hospital(as_of, 150, 30)
    screened(connection, trial, resources, folder, as_of)
    first = told(connection)
    for seed in range(4 if AT_LENGTH else 1):
        screened(connection, trial, Random(seed).sample(resources, len(resources)), folder, as_of)
        again = told(connection)
        assert [(key, first[key], again[key]) for key in first if first[key] != again.get(key)] == []


def test_every_leaf_kind_and_role_is_generated_and_known_to_the_oracle() -> None:
    """A new leaf kind needs its own strategy and its own part of the oracle."""
    leaves = [leaf for words in drawn(rules(), 240) for leaf in leaves_of(build_rule(words, "C", False, []))]
    assert {leaf.kind for leaf in leaves} == set(LEAF_KINDS) == set(QUESTIONS) == set(LEAVES)
    asked = [leaf.question for leaf in leaves if leaf.kind == "observation"]
    assert {question.is_ for question in asked if question.role == "confirm"} == {"positive", "negative", "equivocal"}
    assert {question.pick for question in asked} == {"latest", "any", "all"}


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
