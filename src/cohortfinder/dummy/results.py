"""The leaf `observation`: results that meet it, just miss it, or leave it open."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from cohortfinder.criteria.observation import ObservationQuestion
from cohortfinder.dates import back
from cohortfinder.dummy.facts import BEGINNING, Result, Results, Way
from cohortfinder.dummy.numbers import ANY, NONE, Span, Values, common, outside
from cohortfinder.dummy.scene import Scene
from cohortfinder.model import Truth

_POLARITIES = frozenset({"positive", "negative"})
_DAY = timedelta(days=1)
# a result that is sent and says nothing that can be compared
DEFECTS = ("no_unit", "no_value", "preliminary")


def observation_ways(question: ObservationQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield the facts by which the latest, any or all results of the window say so."""
    asked = _Asked(question, scene)
    if truth is None:
        yield from asked.open()
        return
    silent = not truth and question.absence == "false"
    if silent and question.role:
        yield asked.silent()
    for concept in question.observation:
        yield from asked.said(concept, truth=truth, just=just)
    if silent and not question.role:
        yield asked.silent()


class _Asked:
    """What a question asks on the day as of which it asks."""

    def __init__(self, question: ObservationQuestion, scene: Scene) -> None:
        self._question = question
        self._scene = scene
        self._as_of = back(scene.as_of, question.ago) if question.ago else scene.as_of
        self._day = self._as_of - (scene.as_of - scene.recent)

    def said(self, concept: str, *, truth: bool, just: bool) -> Iterator[Way]:
        """Yield usable results of a concept that are what is asked, or are not."""
        met = meeting(self._question, concept, self._scene)
        if met is None:
            return
        allowed = met if truth else missing(self._question, concept, self._scene)
        for part in _parts(allowed):
            result = Result(concept, self._day, part, self._wanted(concept, met, part, just), self._question.role)
            yield (result, *self._others(concept, allowed, truth))

    def _others(self, concept: str, allowed: Values, truth: bool) -> Way:
        """Say what the other results of the window must be: all that are looked for, or none that is."""
        if self._question.pick == ("any" if truth else "all") or self._question.pick == "latest":
            return ()
        return (Results(concept, self._since(concept), self._as_of, allowed, self._question.role),)

    def _wanted(self, concept: str, met: Values, part: Values, just: bool) -> Decimal | None:
        if isinstance(part, frozenset) or isinstance(met, frozenset):
            return None
        if just:
            return min(_ends(met), key=lambda end: _distance(part, end), default=None)
        return self._scene.unremarkable(concept, part[0])

    def silent(self) -> Way:
        """Return that there is no result at all."""
        return self._none(BEGINNING)

    def _none(self, since: date) -> Way:
        question = self._question
        return tuple(Results(concept, since, self._as_of, NONE, question.role) for concept in question.observation)

    def _since(self, concept: str) -> date:
        question = self._question
        return self._scene.since(concept, question.within, ever=bool(question.ever), as_of=self._as_of)

    def open(self) -> Iterator[Way]:
        """Yield results that decide nothing, then no result."""
        for concept in self._question.observation:
            met = meeting(self._question, concept, self._scene)
            if met is None:
                continue
            alone = self._none(self._since(self._question.observation[0]))
            for result in (*self._defective(concept, met), *self._misplaced(concept, met)):
                yield (result, *alone)
        if self._question.absence == "unknown":
            yield self.silent()

    def _defective(self, concept: str, met: Values) -> Iterator[Result]:
        day, role = self._day, self._question.role
        if isinstance(met, frozenset):
            if "equivocal" not in met:
                yield Result(concept, day, frozenset({"equivocal"}), None, role, defect="equivocal")
        else:
            yield from self._straddling(concept, met[0])
        known = self._scene.terminology.observation_concepts[concept]
        for defect in DEFECTS:
            has_unit = known.unit not in ("", "1") and not known.unit.startswith("{")
            if defect != "no_unit" or (has_unit and isinstance(met, tuple)):
                yield Result(concept, day, met, None, role, defect=defect)

    def _straddling(self, concept: str, span: Span) -> Iterator[Result]:
        """Yield a result with a comparator whose interval holds the bound."""
        lowest, highest = self._scene.plausible(concept)
        step = self._scene.step(concept, span)
        for bound, sign, far in ((span.low, "<", highest), (span.high, ">", lowest)):
            if lowest < bound < highest:
                towards = min(bound * 2, (bound + far) / 2) if sign == "<" else (bound + max(far, bound / 2)) / 2
                wanted = towards.quantize(step) if towards.quantize(step) != bound else towards
                yield Result(concept, self._day, ANY, wanted, self._question.role, defect=sign)

    def _misplaced(self, concept: str, met: Values) -> Iterator[Result]:
        """Yield one whose date may lie in the window or not, and one from before it."""
        if self._question.ever:
            return
        since, role = self._since(concept), self._question.role
        wanted = None if isinstance(met, frozenset) else self._scene.unremarkable(concept, met[0])
        if (since.month, since.day) != (1, 1):
            yield Result(concept, since, met, wanted, role, sent="year")
        yield Result(concept, since - _DAY, met, wanted, role)


def meeting(question: ObservationQuestion, concept: str, scene: Scene) -> Values | None:
    """Return the values that meet the question, None where a concept cannot be asked so."""
    known = scene.terminology.observation_concepts[concept]
    if question.is_ is None:
        if known.value_kind == "ordinal" or question.comparison is None:
            return None
        span = scene.span_of(question.comparison, concept)
        return None if span is None else common((span,), (Span(*scene.plausible(concept)),)) or None
    if known.value_kind == "quantity" and known.negative_below is not None and known.positive_above is not None:
        return {
            "positive": (Span(low=known.positive_above, low_in=False),),
            "negative": (Span(low=scene.plausible(concept)[0], high=known.negative_below, high_in=False),),
            "equivocal": (Span(known.negative_below, known.positive_above),),
        }[question.is_]
    return frozenset({question.is_})


def missing(question: ObservationQuestion, concept: str, scene: Scene) -> Values:
    """Return the values that do not meet it and leave nothing open."""
    met = meeting(question, concept, scene)
    if met is None or isinstance(met, frozenset):
        return _POLARITIES - (met or _POLARITIES)
    if question.is_ is not None:
        others = _POLARITIES - {question.is_}
        found = (meeting(question.model_copy(update={"is_": word}), concept, scene) for word in sorted(others))
        return tuple(span for values in found if isinstance(values, tuple) for span in values)
    assert question.comparison is not None  # without a polarity there is one
    span = scene.span_of(question.comparison, concept)
    return () if span is None else common(outside(span), (Span(*scene.plausible(concept)),))


def _parts(values: Values) -> list[Values]:
    if isinstance(values, frozenset):
        return [frozenset({word}) for word in sorted(values, reverse=True)]
    return [(span,) for span in values]


def _ends(values: tuple[Span, ...]) -> list[Decimal]:
    return [end for span in values for end in (span.low, span.high) if end.is_finite()]


def _distance(values: tuple[Span, ...], end: Decimal) -> Decimal:
    return min((abs(edge - end) for edge in _ends(values)), default=Decimal(0))
