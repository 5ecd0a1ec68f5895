"""Where people answered against our verdict, by criterion, concept and code, and each such answer as a file."""

from starlette.responses import Response

from cohortfinder.report.cells import safe, table
from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.disagreement import Judged, by_code, by_concept, by_criterion, judge
from cohortfinder.review.routing import Page, write_audit
from cohortfinder.review.store.answers import all_answers_in

COLUMNS = ("patient", "arm", "criterion_id", "kind", "verdict", "answer", "outcome", "at", "run_id", "codes")


def show(asked: Asked) -> Response:
    """Show the criteria and concepts on which people and data disagree."""
    judged = _judged(asked)
    return asked.page(
        "disagreement.html.jinja",
        listed=asked.listed,
        labels=asked.application.labels,
        judged=judged,
        criteria=by_criterion(judged),
        concepts=by_concept(asked.listed.trial, judged),
        codes=by_code(judged),
    )


def export(asked: Asked) -> Response:
    """Give every answer as a row, under pseudonyms and without the words that people wrote."""
    rows = [_cells(asked, one) for one in _judged(asked)]
    write_audit(asked, "disagreement exported", detail=f"{len(rows)} answers")
    headers = {"content-disposition": 'attachment; filename="disagreement.csv"'}
    return Response(table(COLUMNS, rows), media_type="text/csv; charset=utf-8", headers=headers)


def _judged(asked: Asked) -> tuple[Judged, ...]:
    with asked.application.database.reading() as connection:
        answers = all_answers_in(connection, asked.trial_id)
    return judge(asked.listed.trial, answers)


def _cells(asked: Asked, one: Judged) -> tuple[str, ...]:
    answer, about = one.answer, one.answer.about
    return (
        asked.application.keys.pseudonym(about.trial, about.patient_id), safe(about.arm), safe(about.criterion_id),
        asked.listed.criteria[about.criterion_id].kind, one.verdict, answer.word, one.outcome,
        answer.at.date().isoformat(), answer.run_id, safe("; ".join(one.codes)),
    )  # fmt: skip


PAGES = (
    Page("/trials/{trial}/disagreement", show, Right.DISAGREEMENT, "disagreement"),
    Page("/trials/{trial}/disagreement.csv", export, Right.DISAGREEMENT),
)
