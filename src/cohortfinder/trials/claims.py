"""What a case expects of its patient: claims about criteria, as the site reads them and as another site may."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cohortfinder.model import Trial, with_reading
from cohortfinder.trials.case_words import is_day, mapping_at, only_words, texts_at
from cohortfinder.trials.document import Mapping, Node, Scalar, Sequence
from cohortfinder.trials.problems import Problems, nearest

VERDICTS = ("pass", "fail", "unknown")
STATUSES = ("eligible", "possible", "excluded")
_CLAIM = ("verdict", "reason", "flags", "changes_on")
_READING = ("parameters", "expect")


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that a case expects: of a criterion its verdict, reason, flags or changes_on, or (with "") the status.

    `expected` is text: flags are joined in their order by ", ", and "none" says that there is none of them.
    `asked` is the id under which the criterion is evaluated: its own, or that of another reading.
    """

    line: int
    criterion: str
    aspect: str
    expected: str
    asked: str


def claims_of(patient: Mapping, arms: tuple[str, ...], trial: Trial, problems: Problems) -> Iterator[Claim]:
    """Yield what a patient's `expect` says, then what each of its `readings` does."""
    reader = _Reader(trial, arms, problems)
    yield from reader.claims(patient)
    readings = patient.get("readings")
    if readings is not None and not isinstance(readings, Sequence):
        problems.add(readings.line, "'readings' is a list, each with 'parameters' and 'expect'")
    for reading in readings.items if isinstance(readings, Sequence) else ():
        if isinstance(reading, Mapping):
            yield from reader.reading(reading)
        else:
            problems.add(reading.line, "a reading holds 'parameters' and 'expect'")


class _Reader:
    """Reads the claims about one patient."""

    def __init__(self, trial: Trial, arms: tuple[str, ...], problems: Problems) -> None:
        self._trial, self._arms, self._problems = trial, arms, problems
        self._readings = {one.id for one in trial.other_readings}

    def reading(self, node: Mapping) -> Iterator[Claim]:
        """Yield what is expected where a site sets some parameters otherwise."""
        only_words(node, _READING, "a reading", self._problems)
        written = mapping_at(node, "parameters", self._problems)
        if not written.entries:
            self._problems.add(node.line, "a reading needs 'parameters', each with its value")
        values = dict(self._values(written))
        for claim in self.claims(node):
            asked = with_reading(claim.criterion, values) if values else claim.criterion
            if values and asked not in self._readings:
                said = claim.criterion or "the status"
                self._problems.add(claim.line, f"{said} does not depend on {' and '.join(values)}; remove it here")
            yield replace(claim, asked=asked)

    def _values(self, written: Mapping) -> Iterator[tuple[str, str]]:
        """Yield the parameters that differ from those in force."""
        declared = {one.name: one for one in self._trial.parameters if one.choices}
        for key, value in written.entries:
            text = value.text if isinstance(value, Scalar) else ""
            known = declared.get(key.text)
            if known is None:
                hint = nearest(key.text, declared)
                message = f"{self._trial.id} has no parameter '{key.text}' with choices.{hint}"
                self._problems.add(key.line, message)
            elif text not in known.choices:
                choices = ", ".join(known.choices)
                self._problems.add(key.line, f"'{text}' is no choice of '{key.text}'; write one of {choices}")
            elif text != known.value:
                yield key.text, text

    def claims(self, node: Mapping) -> Iterator[Claim]:
        """Yield what stands under `expect`."""
        criteria = {criterion.id: criterion for criterion in self._trial.criteria}
        for key, value in mapping_at(node, "expect", self._problems).entries:
            criterion = criteria.get(key.text)
            if key.text == "status":
                yield from self._claim(key, "", "status", value, STATUSES)
            elif criterion is None:
                hint = nearest(key.text, criteria)
                self._problems.add(key.line, f"{self._trial.id} has no criterion '{key.text}'.{hint}")
            elif not set(criterion.arms) & set(self._arms):
                held = ", ".join(criterion.arms)
                self._problems.add(key.line, f"'{key.text}' holds in {held} only; expect it of a patient of that arm")
            elif isinstance(value, Mapping):
                yield from self._aspects(key, value)
            else:
                yield from self._claim(key, key.text, "verdict", value, VERDICTS)

    def _aspects(self, key: Scalar, said: Mapping) -> Iterator[Claim]:
        only_words(said, _CLAIM, f"what is expected of '{key.text}'", self._problems)
        for aspect, value in said.entries:
            if aspect.text == "verdict":
                yield from self._claim(aspect, key.text, "verdict", value, VERDICTS)
            elif aspect.text == "flags":
                flags = sorted(flag.text for flag in texts_at(said, "flags", self._problems))
                yield Claim(aspect.line, key.text, "flags", ", ".join(flags) or "none", key.text)
            elif aspect.text in _CLAIM and isinstance(value, Scalar):
                if aspect.text == "changes_on" and value.text != "none" and not is_day(value.text):
                    self._problems.add(aspect.line, f"'{value.text}' is no day; write 2026-05-01, or none")
                yield Claim(aspect.line, key.text, aspect.text, value.text, key.text)

    def _claim(
        self, key: Scalar, criterion: str, aspect: str, value: Node, allowed: tuple[str, ...]
    ) -> Iterator[Claim]:
        if isinstance(value, Scalar) and value.text in allowed:
            yield Claim(key.line, criterion, aspect, value.text, criterion)
            return
        said = value.text if isinstance(value, Scalar) else ""
        hint = nearest(said, allowed)
        self._problems.add(key.line, f"'{said}' is no {aspect}; write one of {', '.join(allowed)}.{hint}")
