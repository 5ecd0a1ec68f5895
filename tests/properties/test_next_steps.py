"""For every small trial and hospital, a test ends as many questions as the oracle counts by trying every outcome."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import product
from math import prod
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from cohortfinder.model import Prior, Ranking, Trial
from cohortfinder.ranking.candidates import rank, read_candidates
from cohortfinder.ranking.next_step import NextSteps, Step, Steps, find_steps, read_steps
from length import AT_LENGTH
from properties.engine import screened, terminology
from properties.moments import AS_OFS
from properties.resources import drawn, hospital
from properties.test_against_the_oracle import mappings, site_of
from properties.trials import a_trial, rules
from reference.site import Site
from reference.unknowns import JUDGEMENT, open_rule

Place = tuple[str, str]
# of a test: what it settles, what it may settle, the chance that it ends the question, and that all pass
Told = dict[str, tuple[set[str], set[str], float, float]]


def judged(trial: Trial) -> Trial:
    """Let a person decide the third and the fourth criterion, of which the fourth has no prior and so no part."""
    third, fourth = (replace(one, certainty="judgement") for one in trial.criteria[2:4])
    criteria = (*trial.criteria[:2], third, fourth, *trial.criteria[4:])
    return replace(trial, criteria=criteria, ranking=Ranking(declared=True, criteria={third.id: Prior(3, 1)}))


def steps_of(connection: duckdb.DuckDBPyConnection, trial: Trial, as_of: date) -> NextSteps:
    rank(connection, trial, as_of)
    find_steps(connection, trial, terminology())
    return read_steps(connection)


def expected(trial: Trial, site: Site, patient: str, shares: Mapping[str, float], as_of: date) -> tuple[Told, set[str]] | None:  # fmt: skip
    """What each test does for a patient with these open criteria, and what no test settles; None where reasons are open."""
    settles: dict[str, set[str]] = {}
    may: dict[str, set[str]] = {}
    for criterion in (one for one in trial.criteria if one.id in shares):
        if criterion.certainty == "judgement":
            settles.setdefault(mappings().test_of(JUDGEMENT), set()).add(criterion.id)
            continue
        found = open_rule(site, criterion, patient, as_of)
        if found is None:
            return None
        for test in {mappings().test_of(concept) for concept in found.hanging}:
            truths = found.tried([concept for concept in found.hanging if mappings().test_of(concept) == test])
            if truths != {None}:
                (may if None in truths else settles).setdefault(test, set()).add(criterion.id)
    by_person = {one.id for one in trial.criteria if one.certainty == "judgement"}
    question = (shares.keys() - by_person) or shares.keys()
    told = {test: (own, may.get(test, set()), *chances(own, set(question), shares)) for test, own in settles.items()}
    return told, set(shares).difference(*settles.values())


def chances(settled: set[str], question: set[str], shares: Mapping[str, float]) -> tuple[float, float]:
    """Try every outcome of what is settled: how likely one fails or nothing is left of the question, and all pass then."""
    ids = sorted(settled)
    outcomes = [dict(zip(ids, passed, strict=True)) for passed in product((True, False), repeat=len(ids))]
    weights = [prod(shares[id] if passes else 1 - shares[id] for id, passes in one.items()) for one in outcomes]
    ends = sum(
        weight for one, weight in zip(outcomes, weights, strict=True) if not all(one.values()) or question <= settled
    )
    passes = sum(
        weight for one, weight in zip(outcomes, weights, strict=True) if all(one.values()) and question <= settled
    )
    return ends, passes


def rounded(told: Told) -> Told:
    return {test: (own, may, round(ends, 9), round(passes, 9)) for test, (own, may, ends, passes) in told.items()}


def open_places(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[Place, dict[str, float]]]:
    for one in read_candidates(connection):
        if one.status != "excluded":
            yield (one.patient_id, one.arm), {factor.criterion_id: factor.share for factor in one.factors}


@pytest.mark.parametrize("seed", range(6 if AT_LENGTH else 1))
def test_a_test_ends_the_question_as_often_as_every_outcome_tried_says(
    connection: duckdb.DuckDBPyConnection, folder: Path, seed: int
) -> None:
    """Of many open criteria a test hardly ends the question for sure, of few it does."""
    ends: list[float] = []
    for criteria in (6, 4):
        as_of, seed = AS_OFS[(seed + criteria) % 3], seed + 70 + criteria
        trial, resources = judged(a_trial(drawn(rules(), criteria, seed))), hospital(as_of, 90, seed)
        screened(connection, trial, resources, folder, as_of)
        found, site = steps_of(connection, trial, as_of), site_of(resources)
        for place, shares in open_places(connection):
            own, told = found.of.get(place, Steps()), expected(trial, site, place[0], shares, as_of)
            if told is not None:
                assert (rounded(as_told(own)), set(own.unsettled)) == (rounded(told[0]), told[1]), place
                assert [*own.steps] == in_order(own, trial, shares), place
                ends += [one.ends for one in own.steps]
    assert len(ends) > 30
    assert {end == 1 for end in ends} == {True, False}


def in_order(own: Steps, trial: Trial, shares: dict[str, float]) -> list[Step]:
    """What ends most for the effort first; what only a person judges last, as long as data leave something open."""
    by_person = {one.id for one in trial.criteria if one.certainty == "judgement"}
    open_to_data = bool({*shares} - by_person)
    return sorted(
        own.steps,
        key=lambda one: (
            open_to_data and {*one.settles} <= by_person,
            -one.ends / one.effort.minutes,
            one.effort.minutes,
            one.effort.test,
        ),
    )


def as_told(own: Steps) -> Told:
    return {one.effort.test: (set(one.settles), set(one.may_settle), one.ends, one.passes) for one in own.steps}


def test_the_order_of_the_records_changes_nothing(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    as_of = AS_OFS[0]
    trial, resources = judged(a_trial(drawn(rules(), 5, 71))), hospital(as_of, 40, 71)
    found = []
    for records in (resources, Random(7).sample([*resources, *resources[:50]], len(resources) + 50)):
        screened(connection, trial, unique(records), folder, as_of)
        found.append(steps_of(connection, trial, as_of))
    assert found[0] == found[1]
    assert found[0].clinic


def unique(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*{(one["resourceType"], one["id"]): one for one in records}.values()]
