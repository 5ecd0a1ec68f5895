"""One patient in the terminal: what the report shows, as plain text."""

import textwrap
from collections.abc import Iterator

from cohortfinder import wording
from cohortfinder.ranking.candidates import Candidate
from cohortfinder.report.html import Dossier, dossier
from cohortfinder.report.screening import Screening, VerdictRow

_WIDTH = 100


def explain_text(screening: Screening, patient_id: str) -> str:
    """Say every criterion of one patient with its evidence, arm by arm; what is missing comes first."""
    verdicts = screening.verdicts_by_candidate()
    listed = [one for one in screening.candidates if one.patient_id == patient_id]
    if not listed:
        return f"{patient_id} is not listed in any arm of {screening.trial.id} on {screening.as_of}."
    parts = [
        "\n".join(_arm(screening, dossier(number, one, verdicts.get((patient_id, one.arm), ()))))
        for number, one in enumerate(listed, start=1)
    ]
    return "\n\n".join(parts)


def _arm(screening: Screening, one: Dossier) -> Iterator[str]:
    names = {arm.id: arm.name for arm in screening.trial.arms}
    candidate = one.candidate
    yield f"{candidate.patient_id} in {candidate.arm} ({names[candidate.arm]}), {screening.as_of}"
    yield _summary(candidate)
    groups = (
        ("Missing: data would settle it", one.missing),
        ("Fails", one.against),
        ("For a person to judge", one.judgement),
        ("Passes", one.passed),
    )
    for title, rows in groups:
        if rows:
            yield f"\n{title} ({len(rows)})"
        for row in rows:
            yield from _criterion(row)
    if one.not_computed:
        ids = ", ".join(row.criterion.id for row in one.not_computed)
        yield f"\nNot computed, check by hand ({len(one.not_computed)})"
        yield _indented(ids)


def _summary(candidate: Candidate) -> str:
    words = [wording.STATUSES[candidate.status]]
    if candidate.rank is not None:
        words.append(f"rank {candidate.rank}")
    words.append(f"score {100 * candidate.score:.0f} %")
    if candidate.factors:
        words.append(" x ".join(f"{100 * one.share:.0f} % {one.criterion_id}" for one in candidate.factors))
    if candidate.near_miss:
        words.append("near miss")
    if candidate.eligible_from:
        words.append(f"no criterion fails from {candidate.eligible_from}")
    return "; ".join(words)


def _criterion(row: VerdictRow) -> Iterator[str]:
    title = f"{wording.VERDICT_SYMBOLS[row.verdict]} {row.criterion.id}: {row.criterion.text}"
    yield textwrap.fill(title, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    yield _indented(row.reason)
    for flag in row.flags:
        yield _indented(f"! {wording.flag_words(flag)}")
    for item in row.evidence:
        if item.searched is None:
            said = item.compared and f"compared as {wording.compared(item.compared)}"
            cells = (item.date and item.date[:16].replace("T", " "), item.value, said, item.resource)
            yield _indented("- " + ", ".join(cell for cell in cells if cell))
    if row.changes_on:
        yield _indented(f"changes on {row.changes_on} without new data")


def _indented(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="      ", subsequent_indent="      ")
