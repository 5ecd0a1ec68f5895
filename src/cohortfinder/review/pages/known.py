"""What a page of a trial knows of the listed beyond the list itself, and how a patient is called and found."""

from collections.abc import Callable
from urllib.parse import quote, urlencode

from cohortfinder.review.access.roles import Right
from cohortfinder.review.asked import Asked
from cohortfinder.review.lists.choice import Choice, Known
from cohortfinder.review.store.answers import count_answers
from cohortfinder.review.store.decisions import decisions_in
from cohortfinder.review.store.visits import appeared_since, last_visit


def known_of(asked: Asked) -> Known:
    """Return what people and other trials say of the listed of a trial."""
    trial = asked.trial_id
    with asked.application.database.reading() as connection:
        before = last_visit(connection, asked.who.id, trial, asked.session.id_hash) if asked.session else None
        return Known(
            decisions=decisions_in(connection, trial),
            new=appeared_since(connection, trial, before) if before else frozenset(),
            others=asked.listed.others,
            answered=count_answers(connection, trial),
            missing=asked.listed.missing,
        )


def called(asked: Asked, patient_id: str) -> str:
    """Return how a patient is called for whoever asks: by name for who may see it, else by a pseudonym.

    Of a patient without a name in the records, it is the id of the record.
    """
    if not asked.allows(Right.IDENTITY):
        return asked.application.keys.pseudonym(asked.trial_id, patient_id)
    identity = asked.identity(patient_id)
    return identity.name if identity and identity.name else patient_id


def known_by(asked: Asked, patient_id: str) -> str:
    """Return the number by which the hospital knows a patient, else the id of the record; '' for who may not see it."""
    if not asked.allows(Right.IDENTITY):
        return ""
    identity = asked.identity(patient_id)
    return (identity.mrn if identity else "") or patient_id


def text_of(asked: Asked) -> Callable[[str], str]:
    """Return what a patient can be found by, in small letters: only what whoever asks may see."""

    def text(patient_id: str) -> str:
        identity = asked.identity(patient_id)
        told = (identity.name, identity.mrn, identity.birth_date, patient_id) if identity else ()
        return "\n".join((called(asked, patient_id), *told)).casefold()

    return text


def candidate_path(asked: Asked, patient_id: str, arm: str = "", choice: Choice | None = None, part: str = "") -> str:
    """Return the address of a patient, or of a part of the page; what was chosen of the list goes along."""
    name = asked.application.keys.candidate(asked.trial_id, patient_id)
    query = {**({"in": arm} if arm else {}), **(choice.query if choice else {})}
    path = f"/trials/{quote(asked.trial_id, safe='')}/candidates/{name}{part}"
    return f"{path}?{urlencode(query)}" if query else path
