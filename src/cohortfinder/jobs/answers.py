"""What a screening says of the answers of people that it was given."""

from typing import Any

from duckdb import DuckDBPyConnection

from cohortfinder.model import Answer, Answers, Outcome
from cohortfinder.ranking.candidates import run

NO_ANSWERS = Answers()


def answer_warnings(connection: DuckDBPyConnection, answers: Answers) -> tuple[str, ...]:
    """Say which answers change nothing, and which are about patients who are not in the store, by their lines."""
    given: tuple[Answer | Outcome, ...] = (*answers.answers, *answers.outcomes)
    # the earliest line of each patient
    lines = {one.patient_id: one.line for one in sorted(given, key=lambda one: -one.line)}
    found = run(connection, "warehouse/ids_of_nobody.sql.jinja", ids=[*lines]).fetchall() if lines else []
    if not found:
        return answers.warnings
    first = sorted(lines[patient] for (patient,) in found)
    told = ", ".join(map(str, first[:5])) + (", ..." if len(first) > 5 else "")
    return (
        *answers.warnings,
        f"{answers.source}: the store has no patient of {len(first)} of the ids (line {told}); their answers wait, or "
        "the ids must be corrected.",
    )


def answers_record(answers: Answers) -> dict[str, Any] | None:
    """Return what run.json tells of the answers: which file, and how many of each kind."""
    if not answers.source:
        return None
    counts = {"answers": len(answers.answers), "outcomes": len(answers.outcomes)}
    return {"file": answers.source.rpartition("/")[2], "sha256": answers.sha256, **counts}
