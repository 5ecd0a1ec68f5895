"""The candidate list of a trial: filtered, in order, a page at a time; what is searched for stands in no address."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from urllib.parse import urlencode

from starlette.responses import Response

from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.lists.choice import DECISIONS, MARKS, ROWS_A_PAGE, Choice, Known, choice_of, chosen
from cohortfinder.review.lists.published import TrialList
from cohortfinder.review.pages.known import called, candidate_path, known_by, known_of, text_of
from cohortfinder.review.routing import Page
from cohortfinder.review.store.decisions import Decision
from cohortfinder.review.store.said import patients_said
from cohortfinder.review.store.visits import last_visit, note_visit, visit_is_noted
from cohortfinder.warehouse.published import ListedRow
from cohortfinder.wording import STATUSES

# of those who left the list
_LEFT = 200


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as the page shows it."""

    row: ListedRow
    name: str
    number: str
    born: str
    deceased: bool
    path: str
    missing: tuple[str, ...]
    decision: Decision | None
    answered: int
    is_new: bool
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """A patient of whom something was said, and who is not listed any more."""

    name: str
    path: str
    decision: Decision | None
    deceased: bool


def show(asked: Asked) -> Response:
    """Show who is listed."""
    return _list(asked, choice_of({**asked.request.query_params, "text": ""}), asked.request.query_params)


def search(asked: Asked) -> Response:
    """Show who is listed and fits what somebody typed."""
    return _list(asked, choice_of({**asked.request.query_params, "text": asked.form.get("text", "")}), asked.form)


def _list(asked: Asked, choice: Choice, sent: Mapping[str, str]) -> Response:
    listed, known = asked.listed, known_of(asked)
    rows = chosen(listed.rows, choice, known, text_of(asked))
    pages = max(1, ceil(len(rows) / ROWS_A_PAGE))
    page = min(_number(sent.get("page", "")), pages)
    shown = rows[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE]
    visited = _visit(asked)
    return asked.page(
        "candidates.html.jinja", listed=listed, choice=choice, known=known, count=len(rows), page=page, pages=pages,
        rows=[_shown(asked, row, known, choice) for row in shown], query=urlencode(choice.query), last_visit=visited,
        counts={status: listed.counts.get(status, 0) for status in STATUSES}, undecided=_undecided(listed, known),
        marks=MARKS, decisions=DECISIONS,
        missing_counts=listed.missing_counts,
        left=_left(asked, known),
    )  # fmt: skip


def _shown(asked: Asked, row: ListedRow, known: Known, choice: Choice) -> Shown:
    patient, identity = row.patient_id, asked.identity(row.patient_id)
    return Shown(
        number=known_by(asked, patient), born=identity.birth_date if identity else "",
        deceased=bool(identity and identity.deceased), row=row, name=called(asked, patient),
        path=candidate_path(asked, patient, row.arm, choice),
        missing=known.missing.get((patient, row.arm), ()), decision=known.decisions.get(patient),
        answered=known.answered.get(patient, 0), is_new=patient in known.new, others=known.others.get(patient, ()),
    )  # fmt: skip


def _visit(asked: Asked) -> object:
    """Write down that the list is open, and return when it was the time before."""
    if asked.session is None:
        return None
    who, trial, session = asked.who.id, asked.trial_id, asked.session.id_hash
    with asked.application.database.reading() as connection:
        noted = visit_is_noted(connection, who, trial, session, asked.at)
        before = last_visit(connection, who, trial, session)
    if not noted:
        with asked.application.database.writing() as connection:
            note_visit(connection, who, trial, session, asked.at)
    return before


def _undecided(listed: TrialList, known: Known) -> int:
    return len(listed.rows) - sum(len(listed.rows_of.get(patient, ())) for patient in known.decisions)


def _left(asked: Asked, known: Known) -> list[Left]:
    """Return those of whom something was said and who are not listed any more."""
    with asked.application.database.reading() as connection:
        said = patients_said(connection, asked.trial_id)
    gone = sorted(said - asked.listed.names.keys(), key=lambda patient: called(asked, patient))
    return [_left_one(asked, patient, known.decisions.get(patient)) for patient in gone[:_LEFT]]


def _left_one(asked: Asked, patient: str, decision: Decision | None) -> Left:
    identity = asked.identity(patient)
    deceased = bool(identity and identity.deceased)
    return Left(called(asked, patient), candidate_path(asked, patient), decision, deceased)


def _number(text: str) -> int:
    """Return the number of a page, 1 for what is none."""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


PAGES = (
    Page("/trials/{trial}", show, Right.LIST, "list"),
    Page("/trials/{trial}/search", search, Right.LIST, "search", sends=True),
)
