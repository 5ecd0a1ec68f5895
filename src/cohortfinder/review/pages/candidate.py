"""One patient: every criterion with the words of the protocol, our verdict and its evidence, and what people said."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from starlette.responses import Response

from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.lists.choice import choice_of, neighbours
from cohortfinder.review.lists.dossier import OPEN_GROUPS, Line, grouped, lines_of
from cohortfinder.review.lists.unnamed import tells_birthday
from cohortfinder.review.pages.known import called, candidate_path, known_by, known_of, text_of
from cohortfinder.review.pages.sent import seen_run
from cohortfinder.review.routing import Page
from cohortfinder.review.store.decisions import NEEDS_REASON, STATES
from cohortfinder.review.store.history import Said, said_of
from cohortfinder.review.words import SAVED
from cohortfinder.warehouse.published import ListedRow

# of what changes by time alone, so many changes and not more
_TURNS = 12


def show(asked: Asked) -> Response:
    """Show one patient in one arm."""
    return patient_page(asked)


def patient_page(asked: Asked, status: int = 200, **more: Any) -> Response:
    """Return the page of the patient of the address, with what a form that was not taken has to say."""
    patient = asked.patient_id
    with asked.application.database.reading() as connection:
        said = said_of(connection, asked.trial_id, patient, asked.who.id)
    rows = asked.listed.rows_of.get(patient, ())
    row = _row(rows, asked.request.query_params.get("in", ""))
    lines = _lines(asked, patient, row, said) if row else ()
    shown = {"mistake": "", "written": {}, **more}
    return asked.page(
        "candidate.html.jinja", status, listed=asked.listed, row=row, rows=rows, said=said,
        name=called(asked, patient), number=known_by(asked, patient), identity=asked.identity(patient),
        groups=_groups(asked, lines), open_groups=OPEN_GROUPS, lines=lines, states=STATES, needs_reason=NEEDS_REASON,
        before_run=list_before(asked), saved=SAVED.get(asked.request.query_params.get("saved", ""), ""),
        stale_run=_stale(asked), run_moment=run_moment, path=cache(lambda part="": _path(asked, patient, row, part)),
        list_query=choice_of({**asked.request.query_params, "text": ""}).query, **_around(asked, patient, row), **shown,
    )  # fmt: skip


def _row(rows: tuple[ListedRow, ...], arm: str) -> ListedRow | None:
    return next((row for row in rows if row.arm == arm), rows[0] if rows else None)


def _lines(asked: Asked, patient: str, row: ListedRow, said: Said) -> tuple[Line, ...]:
    verdicts = asked.verdicts(asked.snapshot, patient) if asked.snapshot else ()
    return lines_of(asked.listed.criteria, verdicts, row.arm, (asked.trial_id, patient), said.latest)


def _groups(asked: Asked, lines: tuple[Line, ...]) -> dict[str, list[Line]]:
    if asked.request.query_params.get("order") == "protocol":
        return {"all": [*lines]} if lines else {}
    return grouped(lines)


def _around(asked: Asked, patient: str, row: ListedRow | None) -> dict[str, Any]:
    """Return who comes before and after, what other trials say, what to do next, and what changes by itself."""
    if row is None or asked.snapshot is None:
        return {"before": None, "after": None, "place": None, "count": 0, "others": (), "steps": (), "turns": ()}
    choice, known, lists = choice_of({**asked.request.query_params, "text": ""}), known_of(asked), asked.snapshot.lists
    found = neighbours(asked.listed.rows, choice, known, text_of(asked), (patient, row.arm))
    paths = {
        side: candidate_path(asked, one.patient_id, one.arm, choice) if one else None
        for side, one in (("before", found.before), ("after", found.after))
    }
    steps = [one for one in lists.next_steps(asked.trial_id, patient) if one.arm == row.arm]
    turns = [one for one in lists.outlook(asked.trial_id, patient) if one.arm == row.arm]
    if not asked.allows(Right.IDENTITY):
        birthdays = {one.criterion_id for one in lists.verdicts(asked.trial_id, patient) if tells_birthday(one)}
        turns = [one for one in turns if one.criterion_id not in birthdays]
    return {
        **paths, "place": found.place, "count": found.count, "others": known.others.get(patient, ()),
        "steps": steps, "turns": turns[:_TURNS],
    }  # fmt: skip


def _path(asked: Asked, patient: str, row: ListedRow | None, part: str) -> str:
    choice = choice_of({**asked.request.query_params, "text": ""})
    return candidate_path(asked, patient, row.arm if row else "", choice, part)


def list_before(asked: Asked) -> str:
    """Return the run of the list before the one that holds, '' when none is kept."""
    kept = [one for one in asked.application.published.kept() if asked.snapshot and one < asked.snapshot.run_id]
    return kept[-1] if kept else ""


def _stale(asked: Asked) -> str:
    """Return the run of the list on which somebody just decided, where a newer one holds by now."""
    seen = seen_run(asked, asked.request.query_params.get("stale", ""))
    return seen if asked.snapshot and seen != asked.snapshot.run_id else ""


def run_moment(run_id: str) -> datetime | None:
    """Return when a run began, which its id says; None for what is none."""
    try:
        return datetime.strptime(run_id[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


PAGES = (Page("/trials/{trial}/candidates/{candidate}", show, Right.PATIENT, "view"),)
