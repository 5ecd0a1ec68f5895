"""The verdicts of the engine to rows that say why, in sentences; a stretch of patients at a time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import orjson

from cohortfinder.model import Criterion, Trial
from cohortfinder.ranking.candidates import Connection, run
from cohortfinder.report.reasons import Sentences
from cohortfinder.wording import Evidence, Language

# how many patients are read at a time: few enough that several processes which tell them end together
_STRETCH = 500
# a verdict as the tables give it: patient, arm, criterion, verdict, reasons and evidence as JSON, flags, changes_on
Given = tuple[str, str, str, str, str, str, str, date | None]


class VerdictRow(NamedTuple):
    """One patient, arm and criterion: the verdict, why in a sentence, and what it rests on."""

    patient_id: str
    arm: str
    criterion: Criterion
    verdict: str
    reason: str
    codes: tuple[str, ...]
    flags: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    changes_on: date | None

    def shown(self, *, by_concept: bool = False) -> tuple[Evidence, ...]:
        """Return each piece of evidence once: two leaves may rest on one record, and ask it for different concepts."""
        if len(self.evidence) < 2:
            return self.evidence
        told: dict[tuple[object, ...], Evidence] = {}
        for item in self.evidence:
            # the leaf is the first of the fields and the concept the last
            told.setdefault(item[1:] if by_concept else item[1:-1], item)
        return tuple(told.values())

    def found(self) -> tuple[Evidence, ...]:
        """Return of the evidence what is there, without what was searched for in vain."""
        return tuple(item for item in self.shown() if item.searched is None)

    def records(self) -> tuple[str, ...]:
        """Return the references of what is there, each once."""
        return tuple(dict.fromkeys(item.resource for item in self.found() if item.resource))


@dataclass(frozen=True, slots=True)
class Why:
    """The reason codes of a verdict, with their leaves and alone; many verdicts share them."""

    by_leaf: tuple[tuple[str, str], ...]
    codes: tuple[str, ...]


@dataclass(slots=True)
class Teller:
    """Tells why verdicts are as they are: what the tables give of each to rows with a sentence."""

    trial: Trial
    language: Language
    _criteria: Mapping[str, Criterion] = field(init=False)
    _sentences: Mapping[str, Sentences] = field(init=False)
    _whys: dict[str, Why] = field(init=False, default_factory=dict)
    # a verdict without evidence says the same of every patient: not computed, for a person to judge
    _bare: dict[tuple[str, str], str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._criteria = {criterion.id: criterion for criterion in self.trial.criteria}
        self._sentences = {one.id: Sentences(one, self.language) for one in self.trial.criteria}

    def told(self, given: Iterable[Given]) -> Iterator[VerdictRow]:
        """Yield each verdict with its reason in a sentence."""
        for patient_id, arm, criterion_id, verdict, reasons, evidence, flags, changes_on in given:
            why = self._why(reasons)
            found = tuple(map(Evidence._make, orjson.loads(evidence))) if evidence != "[]" else ()
            yield VerdictRow(
                patient_id,
                arm,
                self._criteria[criterion_id],
                verdict,
                self._reason(criterion_id, reasons, why, found),
                why.codes,
                tuple(flags.split(";")) if flags else (),
                found,
                changes_on,
            )

    def _why(self, reasons: str) -> Why:
        known = self._whys.get(reasons)
        if known is None:
            pairs = tuple((leaf or "", code) for leaf, code in orjson.loads(reasons))
            known = self._whys[reasons] = Why(pairs, tuple(code for _, code in pairs))
        return known

    def _reason(self, criterion_id: str, reasons: str, why: Why, found: tuple[Evidence, ...]) -> str:
        if found:
            return self._sentences[criterion_id].reason(why.by_leaf, found)
        known = self._bare.get((criterion_id, reasons))
        if known is None:
            known = self._bare[criterion_id, reasons] = self._sentences[criterion_id].reason(why.by_leaf, ())
        return known


@dataclass(frozen=True, slots=True)
class VerdictReader:
    """Reads verdicts in order from the tables that the engine and `rank` leave behind."""

    connection: Connection
    trial: Trial

    def some(self, in_full: int | str | None = None) -> Iterator[Given]:
        """Yield verdicts of the first candidates, of one patient, or (None) of everybody."""
        if isinstance(in_full, int):
            yield from self._read(first=in_full)
        elif in_full is not None:
            yield from self._read(among=(in_full, in_full))
        else:
            for stretch in self.stretches():
                yield from stretch

    def stretches(self) -> Iterator[list[Given]]:
        """Yield everybody's verdicts, those of some patients at a time."""
        for stretch in run(self.connection, "ranking/patient_range.sql.jinja", size=_STRETCH).fetchall():
            yield self._read(among=stretch)

    def _read(self, *, first: int | None = None, among: tuple[str, str] | None = None) -> list[Given]:
        arms = [arm.id for arm in self.trial.arms]
        query = run(self.connection, "ranking/verdict_rows.sql.jinja", arms=arms, first=first, among=among)
        rows: list[Given] = query.fetchall()
        return rows
