"""Two people on one patient: the later one sees what the other said, and saves after that or not at all."""

from starlette.responses import Response

from cohortfinder.review.asked import Asked
from cohortfinder.review.pages.known import called
from cohortfinder.review.store.answers import About
from cohortfinder.review.store.history import Said, said_of


def answer_conflict(asked: Asked, about: About, arm: str, word: str, note: str) -> Response:
    """Show the answer of the other person beside the one that was not kept."""
    said = _said(asked)
    theirs = said.latest.get(about)
    mine = {"criterion": about.criterion_id, "arm": arm, "word": word, "note": note, "run": asked.form.get("run", "")}
    return _page(asked, said, theirs, {**mine, "previous": theirs.id if theirs else 0}, f"c-{about.criterion_id}")


def decision_conflict(asked: Asked, state: str, reason: str, arm: str) -> Response:
    """Show the decision of the other person beside the one that was not kept."""
    said = _said(asked)
    theirs = said.decision
    mine = {"state": state, "reason": reason, "arm": arm, "run": asked.form.get("run", "")}
    return _page(asked, said, theirs, {**mine, "previous": theirs.id if theirs else 0}, "decision")


def _said(asked: Asked) -> Said:
    with asked.application.database.reading() as connection:
        return said_of(connection, asked.trial_id, asked.patient_id, asked.who.id)


def _page(asked: Asked, said: Said, theirs: object, mine: dict[str, object], anchor: str) -> Response:
    path = asked.request.url
    return asked.page(
        "conflict.html.jinja", 409, name=called(asked, asked.patient_id), said=said, theirs=theirs, mine=mine,
        criterion=asked.listed.criteria.get(str(mine.get("criterion", ""))), action=f"{path.path}?{path.query}",
        patient=f"{path.path.rsplit('/', 1)[0]}?{path.query}#{anchor}",
    )  # fmt: skip
