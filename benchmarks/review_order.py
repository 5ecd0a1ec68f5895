"""How many charts are read until the eligible are found, by the order of the list, and how right the chances are.

Invented cohorts whose truth is known: each patient passes or fails each criterion, and some of it is missing, at random
or more often where patients are seen less and are less well. Our order is that of the ranking itself, by its SQL.
Run: python -m benchmarks.review_order [--patients 2000] [--seeds 20] [--json]
"""

import argparse
import json
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from statistics import mean, quantiles

import duckdb

from cohortfinder.model import Arm, Criterion, Ranking, Trial
from cohortfinder.ranking.calibration import calibration_of
from cohortfinder.ranking.candidates import rank, read_candidates
from cohortfinder.ranking.recalibration import Ended, LogitMap, fit

AS_OF = date(2026, 11, 20)
ELIGIBLE = 0.1
FOUND = 0.8
CRITERIA = 12
# of so many, the first of the list, the outcome is known when chances are corrected
SCREENED = 100
ORDERS = ("ours", "date", "passes", "random")
WAYS = ("missing at random", "missing by patient")
_TABLES = """
CREATE TABLE trial_criterion AS
SELECT unnest($ids) AS criterion_id, unnest($ids) AS asked, 'A' AS arm, unnest(range(1, len($ids) + 1)) AS position,
    'inclusion' AS kind, 'exact' AS certainty, TRUE AS computed;
CREATE TABLE verdict AS
SELECT unnest($patients) AS patient_id, 'A' AS arm, unnest($criteria) AS criterion_id, unnest($verdicts) AS verdict;
CREATE TABLE listing AS SELECT DISTINCT patient_id, arm, 'pass' AS entry_verdict FROM verdict;
CREATE TABLE answered (patient_id VARCHAR, arm VARCHAR, criterion_id VARCHAR, truth BOOLEAN, by_data VARCHAR);
CREATE TABLE eligible_from (patient_id VARCHAR, arm VARCHAR, eligible_from DATE);
CREATE TABLE observed AS SELECT unnest($seen) AS patient_id, 'encounter' AS kind, unnest($days) AS day;
"""


@dataclass(frozen=True, slots=True)
class Patient:
    """One invented patient: the truth of each criterion, what the data tell of it, and when last seen."""

    id: str
    truth: tuple[bool, ...]
    known: tuple[bool, ...]
    seen: date

    @property
    def eligible(self) -> bool:
        """Whether every criterion passes."""
        return all(self.truth)

    @property
    def passes(self) -> int:
        """How many criteria the data show to pass."""
        return sum(truth for truth, known in zip(self.truth, self.known, strict=True) if known)

    @property
    def open(self) -> bool:
        """Whether no criterion fails as far as the data tell."""
        return all(truth or not known for truth, known in zip(self.truth, self.known, strict=True))


def cohort(seed: int, way: str, patients: int) -> list[Patient]:
    """Invent a cohort of which one in ten is eligible; criteria differ in how often they pass and are known."""
    random = Random(f"{seed} {way}")
    shares = _shares(random)
    missing = [random.uniform(0.1, 0.7) for _ in shares]
    return [_patient(random, number, shares, missing, way) for number in range(patients)]


def _shares(random: Random) -> list[float]:
    """Return how often each criterion passes, so that all of them do for one patient in ten."""
    raw = [random.uniform(0.05, 1) ** 2 for _ in range(CRITERIA)]
    # ln(0.1) is shared out among the criteria
    return [ELIGIBLE ** (part / sum(raw)) for part in raw]


def _patient(random: Random, number: int, shares: list[float], missing: list[float], way: str) -> Patient:
    frailty = random.gauss(0, 1) if way == "missing by patient" else 0.0
    truth = tuple(random.random() < share for share in shares)
    # who is seen rarely misses more, and more where the criterion fails: nobody has looked
    known = tuple(
        random.random() > min(0.95, max(0.02, part + 0.2 * frailty + (0.1 if frailty and not passes else 0)))
        for part, passes in zip(missing, truth, strict=True)
    )
    days = int(random.expovariate(1 / (60 + 30 * max(0.0, frailty))))
    return Patient(f"p{number:05d}", truth, known, AS_OF - timedelta(days=days))


def ours(patients: list[Patient]) -> dict[str, float]:
    """Return the ids in the order of the ranking, each with its score."""
    names = [f"C{number:02d}" for number in range(CRITERIA)]
    rows = [
        (one.id, name, "unknown" if not known else "pass" if truth else "fail")
        for one in patients
        for name, truth, known in zip(names, one.truth, one.known, strict=True)
    ]
    with duckdb.connect() as connection:
        values = {
            "ids": names, "patients": [row[0] for row in rows], "criteria": [row[1] for row in rows],
            "verdicts": [row[2] for row in rows], "seen": [one.id for one in patients],
            "days": [one.seen for one in patients],
        }  # fmt: skip
        for statement in filter(str.strip, _TABLES.split(";\n")):
            used = {name: value for name, value in values.items() if f"${name}" in statement}
            connection.execute(statement, used)
        rank(connection, _trial(names), AS_OF)
        return {one.patient_id: one.score for one in read_candidates(connection)}


def _trial(names: list[str]) -> Trial:
    criteria = tuple(
        Criterion(name, "inclusion", name, ("A",), "exact", None, place, 1) for place, name in enumerate(names, start=1)
    )
    return Trial("SIMULATED", "Simulated", "UTC", (Arm("A", "Arm", names[0]),), criteria, (), "", ranking=Ranking())


def orders(patients: list[Patient], seed: int) -> dict[str, list[Patient]]:
    """Return the patients who meet the entry criterion in each order; who is known to fail comes in its turn."""
    listed = patients
    by_id = {one.id: one for one in listed}
    shuffled = Random(seed).sample(listed, len(listed))
    return {
        "ours": [by_id[name] for name in ours(patients)],
        "date": sorted(shuffled, key=lambda one: one.seen, reverse=True),
        "passes": sorted(shuffled, key=lambda one: -one.passes),
        "random": shuffled,
    }


def charts_needed(order: list[Patient], share: float = FOUND) -> int:
    """Return after how many charts so many of the eligible are found."""
    wanted = share * sum(one.eligible for one in order)
    found = 0
    for charts, one in enumerate(order, start=1):
        found += one.eligible
        if found >= wanted:
            return charts
    return len(order)


def calibration(patients: list[Patient]) -> dict[str, float]:
    """Return how right the scores are of those who are not known to fail, by their truth."""
    scores = ours(patients)
    found = calibration_of([(one.eligible, scores[one.id]) for one in patients], Ranking())
    assert found.brier is not None
    assert found.reference is not None
    first = [
        Ended(scores[one.id], one.eligible) for one in sorted(patients, key=lambda one: -scores[one.id])[:SCREENED]
    ]
    others = [one for one in found.ended if one.score < first[-1].score]
    corrected, raw = fit(first, weight=40), LogitMap(1, 0)
    return {
        "brier": found.brier.mean,
        "brier_of_base_rate": found.reference,
        "passed_of_expected": found.passed / found.expected,
        "slope": fit(found.ended, weight=1).slope,
        "others_of_expected": _passed_of_expected(others, raw),
        "others_of_corrected": _passed_of_expected(others, corrected),
    }


def _passed_of_expected(ended: list[Ended], line: LogitMap) -> float:
    return sum(one.passed for one in ended) / sum(line.of(one.score) for one in ended)


def curve(order: list[Patient], points: int = 20) -> list[float]:
    """Return which share of the eligible is found after each twentieth of the charts."""
    found = [0]
    for one in order:
        found.append(found[-1] + one.eligible)
    return [found[round(len(order) * point / points)] / max(found[-1], 1) for point in range(points + 1)]


def area(order: list[Patient]) -> float:
    """Return the area under the curve: 1 finds all at once, 0.5 is what chance gives."""
    heights = curve(order, 100)
    return mean((first + second) / 2 for first, second in pairwise(heights))


def band(values: list[float]) -> tuple[float, float, float]:
    """Return the mean and the middle 90 % of the seeds."""
    cuts = quantiles(values, n=20, method="inclusive")
    return round(mean(values), 3), round(cuts[0], 3), round(cuts[-1], 3)


def simulate(way: str, *, patients: int, seeds: int) -> dict[str, object]:
    """Return for one way of missing what each order needs, over all seeds."""
    runs = [orders(cohort(seed, way, patients), seed) for seed in range(seeds)]
    needed = [{name: charts_needed(order) for name, order in run.items()} for run in runs]
    judged = [calibration(cohort(seed, way, patients)) for seed in range(seeds)]
    curves = {name: [curve(run[name]) for run in runs] for name in ORDERS}
    return {
        "charts": {name: band([float(one[name]) for one in needed]) for name in ORDERS},
        "without_known_fails": band([_hardest(run) for run in runs]),
        "against_date": band([one["ours"] / one["date"] for one in needed]),
        "worst_against_date": round(max(one["ours"] / one["date"] for one in needed), 3),
        "fewer_than_by_passes": sum(one["ours"] < one["passes"] for one in needed),
        "seeds": seeds,
        "area": {name: band([area(run[name]) for run in runs]) for name in ORDERS},
        "calibration": {name: band([one[name] for one in judged]) for name in judged[0]},
        "curve": {name: [band([*point]) for point in zip(*curves[name], strict=True)] for name in ORDERS},
    }


def _hardest(run: dict[str, list[Patient]]) -> float:
    """Return the charts against those by date where no list has anybody who is known to fail."""
    left = {name: [one for one in order if one.open] for name, order in run.items()}
    return charts_needed(left["ours"]) / charts_needed(left["date"])


def main() -> None:
    """Print what each order needs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {way: simulate(way, patients=given.patients, seeds=given.seeds) for way in WAYS}
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for way, told in found.items():
        print(
            f"{way}: 80 % of the eligible in {told['against_date']} of the charts by date (mean, middle 90 % of seeds),"
        )
        print(f"  fewer than by passes in {told['fewer_than_by_passes']} of {told['seeds']} seeds")
        print(f"  where no list has a known fail, {told['without_known_fails']} of the charts by date")
        print(f"  charts {told['charts']}\n  area {told['area']}\n  calibration {told['calibration']}")


if __name__ == "__main__":
    main()
