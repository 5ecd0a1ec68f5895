"""The facts about one invented patient, which may be added to as long as they do not contradict each other."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from cohortfinder.dummy.facts import Born, Coding, Dose, Fact, Gender, NoRecord, Record, Result, Results, Sent
from cohortfinder.dummy.numbers import ANY, Span, common

Key = tuple[str, str | None, date, Sent]
Matches = Callable[[str, Coding], bool]


@dataclass(frozen=True, slots=True)
class Chart:
    """One patient. `matches` says whether a code belongs to a concept."""

    matches: Matches = field(compare=False, repr=False)
    born: Born | None = None
    gender: Gender | None = None
    results: Mapping[Key, Result] = field(default_factory=dict)
    limits: tuple[Results, ...] = ()
    records: tuple[Record, ...] = ()
    absences: tuple[NoRecord, ...] = ()
    doses: tuple[Dose, ...] = ()

    def with_facts(self, facts: Iterable[Fact]) -> "Chart | None":
        """Return the chart with these facts as well; None where they contradict those that it has."""
        chart: Chart | None = self
        for fact in facts:
            if chart is None:
                return None
            chart = chart._with(fact)
        return chart

    def _with(self, fact: Fact) -> "Chart | None":
        match fact:
            case Born():
                return self._with_birth(fact)
            case Gender():
                return replace(self, gender=fact) if self.gender in (None, fact) else None
            case Result():
                return self._with_result(fact)
            case Results():
                return self._with_limit(fact)
            case Record():
                return self._with_record(fact)
            case NoRecord():
                return self._with_absence(fact)
            case Dose():
                return self._with_dose(fact)

    def _with_birth(self, born: Born) -> "Chart | None":
        if self.born is None:
            return replace(self, born=born)
        first, last = max(self.born.first, born.first), min(self.born.last, born.last)
        if first > last or self.born.sent != born.sent:
            return None
        return replace(self, born=Born(first, last, min(max(self.born.wanted, first), last), born.sent))

    def _with_result(self, result: Result) -> "Chart | None":
        key = (result.concept, result.role, result.day, result.sent)
        before = self.results.get(key)
        values = result.values
        if before is not None:
            if before.defect != result.defect:
                return None
            values = common(before.values, values)
        for limit in self.limits:
            if _concerns(limit, result):
                values = common(values, limit.values)
        if not values:
            return None
        wanted = before.wanted if before is not None and before.wanted is not None else result.wanted
        return replace(self, results={**self.results, key: replace(result, values=values, wanted=wanted)})

    def _with_limit(self, limit: Results) -> "Chart | None":
        if limit in self.limits:
            return self
        narrowed: dict[Key, Result] = {}
        for key, result in self.results.items():
            if _concerns(limit, result):
                values = common(result.values, limit.values)
                if not values:
                    return None
                narrowed[key] = replace(result, values=values)
        return replace(self, results={**self.results, **narrowed}, limits=(*self.limits, limit))

    def _with_record(self, record: Record) -> "Chart | None":
        if record in self.records:
            return self
        if any(self._forbids(absence, record) for absence in self.absences):
            return None
        if not self._dosable(record, self.doses):
            return None
        return replace(self, records=(*self.records, record))

    def _with_absence(self, absence: NoRecord) -> "Chart | None":
        if absence in self.absences:
            return self
        if any(self._forbids(absence, record) for record in self.records):
            return None
        return replace(self, absences=(*self.absences, absence))

    def _with_dose(self, dose: Dose) -> "Chart | None":
        doses = self.doses if dose in self.doses else (*self.doses, dose)
        if not all(self._dosable(record, doses) for record in self.records):
            return None
        return replace(self, doses=doses)

    def _dosable(self, record: Record, doses: tuple[Dose, ...]) -> bool:
        wanted = [dose for dose in doses if self._doses(dose, record)]
        if not wanted or not record.dosed:
            return not wanted
        allowed = _common(wanted)
        if record.amount is None:
            return bool(allowed)
        return any(span.holds(record.amount) for span in allowed)

    def _forbids(self, absence: NoRecord, record: Record) -> bool:
        if record.standing == "against" or record.kind != absence.kind or (absence.firm and record.standing != "firm"):
            return False
        first, last = _days(record)
        touched = first if absence.begins else last
        if touched < absence.since or first > absence.until:
            return False
        return self.matches(absence.concept, record.coding)

    def _doses(self, dose: Dose, record: Record) -> bool:
        if record.kind != "medication" or record.standing == "against":
            return False
        first, last = _days(record)
        return last >= dose.since and first <= dose.until and self.matches(dose.concept, record.coding)

    def dose_of(self, record: Record) -> tuple[tuple[Span, ...], Decimal, bool] | None:
        """Return what the dose of a medication record may be, what is wanted, and whether it is taken by the week."""
        wanted = [dose for dose in self.doses if self._doses(dose, record)]
        if not wanted or not record.dosed:
            return None
        return _common(wanted), wanted[0].wanted, any(dose.weekly for dose in wanted)


def _common(doses: list[Dose]) -> tuple[Span, ...]:
    values = ANY
    for dose in doses:
        values = common(values, dose.values)
    return () if isinstance(values, frozenset) else values


def _concerns(limit: Results, result: Result) -> bool:
    """A limit speaks of usable results only; one without a whole date may lie in its days."""
    if limit.concept != result.concept or limit.role != result.role or result.defect:
        return False
    first, last = _span(result.day, result.sent)
    return last >= limit.since and first <= limit.until and (result.sent == "day" or bool(limit.values))


def _days(record: Record) -> tuple[date, date]:
    """Return the first and the last day on which a record may lie."""
    first = date.min if record.start is None else _span(record.start, record.sent)[0]
    last = date.max if record.end is None else record.end
    return (date.min, last) if record.sent == "nothing" else (first, last)


def _span(day: date, sent: Sent) -> tuple[date, date]:
    if sent == "year":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    return (day, day)
