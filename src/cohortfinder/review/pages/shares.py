"""Links to one patient for a colleague: made, listed and ended by the study team, opened by who has the passcode."""

from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response

from cohortfinder.review.access.accounts import account_by_id, names_of
from cohortfinder.review.access.roles import Right, allows
from cohortfinder.review.access.throttle import count_try, succeeded
from cohortfinder.review.asked import Asked
from cohortfinder.review.lists.unnamed import without_birth_dates
from cohortfinder.review.routing import ANYBODY, Page, write_audit
from cohortfinder.review.store.shares import (
    Share,
    add_share,
    note_failure,
    note_opening,
    passcode_fits,
    revoke_share,
    share_of,
    shares_of,
    token_hash,
)

_OF_A_PATIENT = "/trials/{trial}/candidates/{candidate}/shares"


def show(asked: Asked) -> Response:
    """Show the links to a patient, and the form for a new one."""
    return _all(asked)


def _all(asked: Asked, **made: object) -> Response:
    patient = asked.patient_id
    with asked.application.database.reading() as connection:
        shares, people = shares_of(connection, asked.trial_id, patient), names_of(connection)
    keys = asked.application.keys
    shown = {"link": "", "passcode": "", "problem": "", **made}
    return asked.page(
        "shares.html.jinja", status=422 if shown["problem"] else 200, shares=shares, people=people, **shown,
        pseudonym=keys.pseudonym(asked.trial_id, patient), name=keys.candidate(asked.trial_id, patient),
    )  # fmt: skip


def add(asked: Asked) -> Response:
    """Make a link. It and its passcode are shown this once, because only hashes of them are kept."""
    patient, days = asked.patient_id, asked.form.get("days", "")
    most = asked.application.settings.share_days
    if not (days.isascii() and days.isdigit() and len(days) < 4 and 1 <= int(days) <= most):
        return _all(asked, problem="days")
    identified = asked.form.get("identified") == "yes" and asked.allows(Right.IDENTITY)
    expires_at = asked.at + timedelta(days=int(days))
    with asked.application.database.writing() as connection:
        token, passcode = add_share(
            connection, asked.trial_id, patient, identified=identified, account_id=asked.who.id, at=asked.at,
            expires_at=expires_at,
        )  # fmt: skip
    write_audit(asked, "share", detail=f"{'with' if identified else 'without'} identity, for {days} days")
    address = asked.application.settings.address or str(asked.request.base_url).rstrip("/")
    return _all(asked, link=f"{address.rstrip('/')}/shared/{token}", passcode=passcode)


def revoke(asked: Asked) -> Response:
    """End a link."""
    patient, number = asked.patient_id, str(asked.request.path_params["number"])
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise HTTPException(404)
    with asked.application.database.writing() as connection:
        ended = revoke_share(connection, asked.trial_id, patient, int(number), asked.at)
    if not ended:
        raise HTTPException(404)
    write_audit(asked, "share ended")
    name = asked.application.keys.candidate(asked.trial_id, patient)
    return asked.back(f"/trials/{asked.trial_id}/candidates/{name}/shares")


def ask(asked: Asked) -> Response:
    """Ask for the passcode; whether there is such a link is not told."""
    return asked.page("passcode.html.jinja", problem="")


def open_shared(asked: Asked) -> Response:
    """Show the patient to who has link and passcode."""
    token = str(asked.request.path_params["token"])
    with asked.application.database.writing() as connection:
        # nobody has such a login: no account holds a blank
        tried = count_try(connection, f"share {token_hash(token)}", asked.address, asked.at)
    if tried.number is None:
        return asked.page("passcode.html.jinja", status=429, problem="locked")
    share = _that_holds(asked, token)
    if not passcode_fits(share, asked.form.get("passcode", "")) or share is None:
        if share is not None:
            with asked.application.database.writing() as connection:
                note_failure(connection, share)
            _write_down(asked, share, "share refused")
        return asked.page("passcode.html.jinja", status=401, problem="wrong")
    with asked.application.database.writing() as connection:
        succeeded(connection, tried)
        note_opening(connection, share)
    _write_down(asked, share, "share opened")
    return _shown(asked, share)


def _that_holds(asked: Asked, token: str) -> Share | None:
    """Return the link where it holds, and who has made it could still make it."""
    with asked.application.database.reading() as connection:
        share = share_of(connection, token)
        maker = account_by_id(connection, share.account_id) if share else None
    if share is None or not share.holds(asked.at) or maker is None or not maker.active:
        return None
    return share if allows(maker.role_in(share.trial), Right.SHARE) else None


def _shown(asked: Asked, share: Share) -> Response:
    snapshot = asked.snapshot
    listed = snapshot.of(share.trial) if snapshot else None
    verdicts = snapshot.lists.verdicts(share.trial, share.patient_id) if snapshot else ()
    if not share.identified:
        verdicts = without_birth_dates(verdicts)
    who = snapshot.identities.get(share.patient_id) if snapshot and share.identified else None
    known = listed.criteria if listed else {}
    return asked.page(
        "shared.html.jinja", share=share, listed=listed, patient=share.patient_id if share.identified else "", who=who,
        verdicts=[(one, known[one.criterion_id]) for one in verdicts if one.criterion_id in known],
        pseudonym=asked.application.keys.pseudonym(share.trial, share.patient_id),
    )  # fmt: skip


def _write_down(asked: Asked, share: Share, action: str) -> None:
    candidate = asked.application.keys.candidate(share.trial, share.patient_id)
    write_audit(asked, action, trial=share.trial, candidate=candidate, detail=f"share {share.id}")


PAGES = (
    Page(_OF_A_PATIENT, show, Right.SHARE, "shares"),
    Page(_OF_A_PATIENT, add, Right.SHARE, sends=True),
    Page(f"{_OF_A_PATIENT}/{{number}}/end", revoke, Right.SHARE, sends=True),
    Page("/shared/{token}", ask, ANYBODY),
    Page("/shared/{token}", open_shared, ANYBODY, sends=True),
)
