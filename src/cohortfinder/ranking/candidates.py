"""Verdicts to a ranked list: status, score with its factors and next step, by queries/ranking."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from cohortfinder.model import Ranking, Status, Trial
from cohortfinder.sql.environment import render


class Connection(Protocol):
    """The part of a DuckDB connection that ranking and reports use."""

    def execute(self, query: str, parameters: Any = ..., /) -> Any:
        """Run one statement."""


@dataclass(frozen=True, slots=True)
class Factor:
    """An unknown criterion in a score: its chance to pass, and what that is estimated from.

    `passes` of the `known` patients of the arm, and `answered_passes` of the `answered` ones whom the data left open.
    What is `judged` by a person has a declared chance.
    """

    criterion_id: str
    share: float
    passes: int = 0
    known: int = 0
    answered_passes: int = 0
    answered: int = 0
    judged: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patient listed in an arm: a row of candidates.csv and the factors of its score, lowest first."""

    rank: int | None
    patient_id: str
    arm: str
    status: Status
    score: float
    passed: int
    failed: int
    unknown: int
    judgement: int
    eligible_from: date | None
    next_step: str | None
    last_contact: date | None
    near_miss: bool
    factors: tuple[Factor, ...]


def rank(connection: Connection, trial: Trial, as_of: date) -> None:
    """Create the TEMP table `candidate`, and those it rests on, from the engine's tables."""
    arms = tuple(arm.id for arm in trial.arms)
    run(connection, "ranking/last_contact.sql.jinja", as_of=as_of)
    run(connection, "ranking/pass_share.sql.jinja", **ranking_values(trial.ranking))
    run(connection, "ranking/candidate.sql.jinja", arms=arms)


def read_candidates(connection: Connection) -> tuple[Candidate, ...]:
    """Return the recruitment list in its order: ranked patients, then excluded ones."""
    rows = run(connection, "ranking/candidate_rows.sql.jinja").fetchall()
    return tuple(Candidate(*[*row[:-1], _factors(row[-1])]) for row in rows)


def _factors(items: list[dict[str, Any]]) -> tuple[Factor, ...]:
    return tuple(Factor(**item) for item in items)


def ranking_values(ranking: Ranking) -> dict[str, Any]:
    """Return what the templates of shares take."""
    return {
        "declared": ranking.declared,
        "prior": ranking.prior,
        "shrinkage": ranking.shrinkage,
        "known_weight": ranking.known_weight,
        "criteria": [*ranking.criteria],
        "passes": [prior.passes for prior in ranking.criteria.values()],
        "fails": [prior.fails for prior in ranking.criteria.values()],
    }


def run(connection: Connection, template: str, **values: Any) -> Any:
    """Render a template of queries/ and run it."""
    rendered = render(template, **values)
    return connection.execute(rendered.text, rendered.parameters)
