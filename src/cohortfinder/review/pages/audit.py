"""The audit log, for administrators: who did what to whom and when, who looked at a patient, all of it as a file."""

from urllib.parse import urlencode

import orjson
from sqlalchemy import RowMapping
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cohortfinder.report.cells import Cell, safe, table
from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.routing import Page, write_audit
from cohortfinder.review.store.audit import Wanted, actions, entries, faults

_ON_A_PAGE = 100
COLUMNS = ("id", "at", "login", "role", "action", "trial", "candidate", "detail", "request_id", "previous_hash", "hash")
_KINDS = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


def show(asked: Asked) -> Response:
    """Show the newest entries, or those that are wanted, and whether the log is as it was written."""
    wanted = _wanted(asked)
    with asked.application.database.reading() as connection:
        rows = [*entries(connection, wanted, _ON_A_PAGE)]
        kinds = actions(connection)
        wrong = [*faults(connection, asked.application.keys, asked.application.head)]
    narrowed = {name: getattr(wanted, name) for name in ("login", "action", "trial", "candidate")}
    query = urlencode({name: value for name, value in narrowed.items() if value})
    older = rows[-1]["id"] if len(rows) == _ON_A_PAGE else 0
    return asked.page("audit.html.jinja", rows=rows, kinds=kinds, faults=wrong, wanted=wanted, query=query, older=older)


def looks(asked: Asked) -> Response:
    """Find the entries about a patient; the id is sent, and does not stand in an address."""
    trial, patient = (asked.form.get(name, "").strip() for name in ("trial", "patient"))
    return asked.back("/admin/audit", trial=trial, candidate=asked.application.keys.candidate(trial, patient))


def export(asked: Asked) -> Response:
    """Give the entries that are wanted as a file."""
    kind = asked.request.query_params.get("kind", "csv")
    if kind not in _KINDS:
        raise HTTPException(404)
    with asked.application.database.reading() as connection:
        rows = [_cells(row) for row in entries(connection, _wanted(asked))]
    write_audit(asked, "audit exported", detail=f"{len(rows)} entries as {kind}")
    content = table(COLUMNS, [tuple(map(_safe, row)) for row in rows]) if kind == "csv" else _lines(rows)
    headers = {"content-disposition": f'attachment; filename="audit.{kind}"'}
    return Response(content, media_type=_KINDS[kind], headers=headers)


def _wanted(asked: Asked) -> Wanted:
    given = {
        name: asked.request.query_params.get(name, "").strip() for name in ("login", "action", "trial", "candidate")
    }
    before = asked.request.query_params.get("before", "")
    return Wanted(**given, before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else 0)


def _cells(row: RowMapping) -> tuple[Cell, ...]:
    return tuple(row[name].isoformat() if name == "at" else row[name] for name in COLUMNS)


def _safe(cell: Cell) -> Cell:
    return safe(cell) if isinstance(cell, str) else cell


def _lines(rows: list[tuple[Cell, ...]]) -> bytes:
    return b"".join(orjson.dumps(dict(zip(COLUMNS, row, strict=True))) + b"\n" for row in rows)


PAGES = (
    Page("/admin/audit", show, Right.ADMINISTER, "audit"),
    Page("/admin/audit/export", export, Right.ADMINISTER),
    Page("/admin/audit/patient", looks, Right.ADMINISTER, sends=True),
)
