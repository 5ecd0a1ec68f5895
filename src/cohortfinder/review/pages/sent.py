"""What people send with a form: texts as they are kept, numbers and words that must be some of ours."""

from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from cohortfinder.review.asked import Asked
from cohortfinder.review.lists.choice import choice_of

LONGEST = 10_000
_DIGITS = 10


def text_sent(asked: Asked, name: str) -> str:
    """Return a text that was typed, with line ends of one kind. Raises 400 where it is longer than a form lets it be.

    NUL is no character of a text, and PostgreSQL keeps none.
    """
    text = asked.form.get(name, "").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if len(text) > LONGEST:
        raise HTTPException(400)
    return text.strip()


def number_sent(asked: Asked, name: str) -> int:
    """Return a number that the form carried. Raises 400 where it is none."""
    text = asked.form.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS):
        raise HTTPException(400)
    return int(text)


def word_sent(asked: Asked, name: str, words: tuple[str, ...]) -> str:
    """Return one of some words. Raises 400 for another one."""
    word = asked.form.get(name, "")
    if word not in words:
        raise HTTPException(400)
    return word


def seen_run(asked: Asked, run_id: str) -> str:
    """Return the run of the list that a form was made of, the one that holds where no list of that name is kept."""
    holding = asked.snapshot.run_id if asked.snapshot else ""
    return run_id if run_id in asked.application.published.kept() else holding


def back_to_patient(asked: Asked, saved: str, run_id: str, anchor: str) -> Response:
    """Return the way back to the patient, and say where the list that was seen does not hold any more."""
    shown = asked.request.query_params
    query = {**({"in": shown["in"]} if "in" in shown else {}), **choice_of({**shown, "text": ""}).query, "saved": saved}
    if shown.get("order") == "protocol":
        query["order"] = "protocol"
    if asked.snapshot and run_id != asked.snapshot.run_id:
        query["stale"] = run_id
    path = asked.request.url.path
    patient = path[: path.index("/candidates/")] + "/candidates/" + str(asked.request.path_params["candidate"])
    return RedirectResponse(f"{patient}?{urlencode(query)}#{anchor}", status_code=303)
