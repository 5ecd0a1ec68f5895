"""One patient in the terminal: what the report shows, as plain text or as one object, and why one is not listed."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from cohortfinder import wording
from cohortfinder.model import Arm, Trial
from cohortfinder.ranking.candidates import Candidate
from cohortfinder.ranking.next_step import Steps
from cohortfinder.report.factor_words import criterion_names, factor_in_words
from cohortfinder.report.html import Dossier, dossier
from cohortfinder.report.patient_outlook import outlooks
from cohortfinder.report.screening import Screening
from cohortfinder.report.step_words import step_words, unsettled_words
from cohortfinder.report.verdict_files import evidence_object
from cohortfinder.report.verdict_rows import VerdictRow
from cohortfinder.report.why_not import WhyNots

_WIDTH = 100
_NOT_LIVING = {
    "deceased": "recorded as deceased. Only living patients are listed.",
    "test_patient": "a test patient, by a label of the record or a list of the site.",
    "restricted": "the record is restricted by its security label.",
    "consent": "a Consent refuses research or to be contacted.",
    "consent_unclear": "a Consent cannot be read, and may refuse; a person must look at it.",
    "do_not_contact": "not to be contacted, by a Flag or a list of the site.",
    "unresolved": "its replaced-by links lead to no record that stands for itself; correct them at the source.",
}
_ENTRY = {"fail": "is not met", "unknown": "is open, and no record suggests that it is met"}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known of a patient in a trial.

    `asked` is the id that was asked for, `patient` that of the record which goes on in its place, mostly the same;
    `standing` is living, a gate that keeps off every list, or unresolved (its replaced-by links end nowhere).
    `listed` is the screening in which a living patient is a candidate, or else `entries` one that holds the entry
    verdict of each arm.
    `why_not` says what would have to change in the arms of which she is no candidate.
    """

    trial: Trial
    as_of: date
    asked: str
    patient: str
    standing: str
    listed: Screening | None = None
    entries: Screening | None = None
    why_not: WhyNots | None = None

    def text(self) -> str:
        """Say it as a person reads it."""
        return "\n".join([*self._merged(), self._said()])

    def summary(self) -> dict[str, Any]:
        """Return it as one object: an arm each with the verdicts, or with that of the entry criterion."""
        screening = self.listed or self.entries
        return {
            "trial": self.trial.id, "as_of": str(self.as_of), "patient_id": self.patient, "asked_for": self.asked,
            "standing": self.standing, "listed": self.listed is not None,
            "arms": [self._with_why_not(arm) for arm in self._arms(screening)] if screening else [],
        }  # fmt: skip

    def _arms(self, screening: Screening) -> Iterator[dict[str, Any]]:
        return _arms(self.patient, screening, listed=self.listed is not None)

    def _with_why_not(self, arm: dict[str, Any]) -> dict[str, Any]:
        asked = self.why_not is not None and arm["arm"] in self.why_not.arms
        return {**arm, "why_not": self.why_not.summary(arm["arm"])} if asked and self.why_not else arm

    def _merged(self) -> Iterator[str]:
        if self.patient != self.asked:
            yield f"{self.asked} was replaced by {self.patient}; this is about {self.patient}.\n"

    def _said(self) -> str:
        if self.listed is not None:
            return explain_text(self.listed, self.patient, self.why_not)
        head = f"{self.patient} is not listed in any arm of {self.trial.id} on {self.as_of}"
        if self.entries is None:
            return f"{head}: {_NOT_LIVING[self.standing]}"
        return "\n".join([f"{head}. Why, arm by arm:", *_refusals(self.entries, self.patient, self.why_not)])


def explain_text(screening: Screening, patient_id: str, why_not: WhyNots | None = None) -> str:
    """Say every criterion of a listed patient with its evidence, arm by arm; what is missing comes first."""
    verdicts, coming = screening.verdicts_by_candidate(), outlooks(screening, patient_id)
    listed = [one for one in screening.candidates if one.patient_id == patient_id]
    parts = [
        "\n".join(
            [
                *_arm(screening, dossier(number, one, verdicts.get((patient_id, one.arm), ())), why_not),
                *_paragraph(coming[one.arm].lines()),
            ]
        )
        for number, one in enumerate(listed, start=1)
    ]
    return "\n\n".join(parts)


def _refusals(screening: Screening, patient_id: str, why_not: WhyNots | None) -> Iterator[str]:
    for arm, row in _entry_rows(screening, patient_id):
        yield f"\n{arm.id} ({arm.name}): the entry criterion {_ENTRY[row.verdict]}."
        yield from _criterion(row, screening.trial.flag_words)
        yield from _why_not(why_not, arm.id)


def _why_not(found: WhyNots | None, arm: str) -> Iterator[str]:
    """Say what would have to change in an arm, where that was asked."""
    if found is not None and arm in found.arms:
        yield from _paragraph(found.lines(arm))


def _paragraph(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines after an empty one, the long ones in several."""
    for number, line in enumerate(lines):
        if number == 0:
            yield ""
        yield textwrap.fill(line, _WIDTH, subsequent_indent="      " if line.startswith("  ") else "  ")


def _entry_rows(screening: Screening, patient_id: str) -> Iterator[tuple[Arm, VerdictRow]]:
    rows = {(row.arm, row.criterion.id): row for row in screening.verdicts if row.patient_id == patient_id}
    for arm in screening.trial.arms:
        yield arm, rows[(arm.id, arm.entry)]


def _arms(patient_id: str, screening: Screening, *, listed: bool) -> Iterator[dict[str, Any]]:
    if not listed:
        for arm, row in _entry_rows(screening, patient_id):
            yield {"arm": arm.id, "name": arm.name, "entry": _verdict(row)}
        return
    names = {arm.id: arm.name for arm in screening.trial.arms}
    verdicts, coming = screening.verdicts_by_candidate(), outlooks(screening, patient_id)
    for one in screening.candidates:
        if one.patient_id == patient_id:
            yield {
                "arm": one.arm, "name": names[one.arm], "status": one.status, "rank": one.rank, "score": one.score,
                "near_miss": one.near_miss, "eligible_from": one.eligible_from, "next_step": one.next_step,
                **_step_objects(screening.next_steps.of.get((patient_id, one.arm), Steps())),
                "verdicts": [_verdict(row) for row in verdicts.get((patient_id, one.arm), ())],
                "outlook": coming[one.arm].summary(),
            }  # fmt: skip


def _step_objects(own: Steps) -> dict[str, Any]:
    steps = [
        {
            **asdict(one.effort), "settles": one.settles, "may_settle": one.may_settle, "ends": one.ends,
            "passes": one.passes,
        }
        for one in own.steps
    ]  # fmt: skip
    return {"next_steps": steps, "settled_by_no_test": own.unsettled}


def _verdict(row: VerdictRow) -> dict[str, Any]:
    return {
        "criterion_id": row.criterion.id, "kind": row.criterion.kind, "verdict": row.verdict,
        "certainty": row.criterion.certainty, "reason": row.reason, "flags": row.flags,
        "evidence": [evidence_object(item) for item in row.shown(by_concept=True)], "changes_on": row.changes_on,
    }  # fmt: skip


def _arm(screening: Screening, one: Dossier, why_not: WhyNots | None) -> Iterator[str]:
    names = {arm.id: arm.name for arm in screening.trial.arms}
    candidate = one.candidate
    yield f"{candidate.patient_id} in {candidate.arm} ({names[candidate.arm]}), {screening.as_of}"
    yield _summary(candidate)
    yield from _factors(candidate, criterion_names(screening.trial, screening.language))
    yield from _steps(screening.next_steps.of.get((candidate.patient_id, candidate.arm), Steps()))
    yield from _why_not(why_not, candidate.arm)
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
            yield from _criterion(row, screening.trial.flag_words)
    if one.not_computed:
        ids = ", ".join(row.criterion.id for row in one.not_computed)
        yield f"\nNot computed, check by hand ({len(one.not_computed)})"
        yield _indented(ids)


def _summary(candidate: Candidate) -> str:
    words = [wording.STATUSES[candidate.status]]
    if candidate.rank is not None:
        words.append(f"rank {candidate.rank}")
    words.append(f"score {100 * candidate.score:.0f} %")
    if candidate.near_miss:
        words.append("near miss")
    if candidate.eligible_from:
        words.append(f"no criterion fails from {candidate.eligible_from}")
    return "; ".join(words)


def _factors(candidate: Candidate, names: Mapping[str, str]) -> Iterator[str]:
    """Say what the score is made of, the lowest chance first."""
    if candidate.factors:
        yield "Not yet known:"
    for one in candidate.factors:
        yield f"  {100 * one.share:3.0f} % {factor_in_words(one, names)}"


def _steps(own: Steps) -> Iterator[str]:
    """Say what to do next, the most useful for its effort first."""
    if own.steps:
        yield "Next, most likely to end the question for the effort first:"
    yield from (textwrap.indent(step_words(one), "  ") for one in own.steps)
    if own.unsettled:
        yield unsettled_words(own.unsettled)


def _criterion(row: VerdictRow, flags: Mapping[str, str]) -> Iterator[str]:
    title = f"{wording.VERDICT_SYMBOLS[row.verdict]} {row.criterion.id}: {row.criterion.text}"
    yield textwrap.fill(title, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    yield _indented(row.reason)
    for flag in row.flags:
        yield _indented(f"! {wording.flag_words(flag, flags)}")
    for item in row.shown():
        if item.searched is None:
            said = item.compared and wording.stood_for(item)
            cells = (item.date and item.date[:16].replace("T", " "), item.value, said, item.resource)
            yield _indented("- " + ", ".join(cell for cell in cells if cell))
    if row.changes_on:
        yield _indented(f"changes on {row.changes_on} without new data")


def _indented(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="      ", subsequent_indent="      ")
