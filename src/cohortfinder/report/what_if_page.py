"""What other numbers in the criteria would give, as the page draws it: the curves that matter most, and the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cohortfinder import wording
from cohortfinder.ranking.what_if import WhatIfCurve, WhatIfPoint
from cohortfinder.report.drawing import Axis, Band, Chart, Line, Mark, chart_svg, people_axis
from cohortfinder.report.screening import Screening

_DRAWN = 12
_LISTED = 40
# ticks nearer than this share of the axis would stand on each other
_APART = 0.11


@dataclass(frozen=True, slots=True)
class NamedCurve:
    """A curve, and of what it is a number in words."""

    curve: WhatIfCurve
    about: str


@dataclass(frozen=True, slots=True)
class DrawnCurve(NamedCurve):
    """A curve as it is drawn, and what it says in one sentence."""

    text: str
    drawing: Markup


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The curves that matter most, those that come next (in words alone), and how many numbers change nobody."""

    drawn: tuple[DrawnCurve, ...]
    next: tuple[NamedCurve, ...]
    without_effect: int


def what_if(screening: Screening) -> WhatIf:
    """Return the curves by how many more candidates they give, then by how many fewer, most first."""
    moving = sorted(
        (curve for curve in screening.what_if if curve.range), key=lambda one: (-most(one).more, -one.range)
    )
    named = [
        NamedCurve(curve, screening.language.name(curve.about.split(" or "))) for curve in moving[: _DRAWN + _LISTED]
    ]
    drawn = tuple(_drawn(one) for one in named[:_DRAWN])
    return WhatIf(drawn, tuple(named[_DRAWN:]), len(screening.what_if) - len(moving))


def most(curve: WhatIfCurve) -> WhatIfPoint:
    """Return the value that gives most candidates, of these the one nearest to that in force."""
    return max(curve.points, key=lambda point: (point.candidates, -abs(point.place - curve.now.place)))


def _drawn(named: NamedCurve) -> DrawnCurve:
    curve = named.curve
    best, now = most(curve), curve.now
    more = f"{best.more} more at {wording.plain_units(best.value)}" if best.more else "no value gives more"
    text = f"{now.candidates} candidates at {wording.plain_units(now.value)} as it is; {more}."
    return DrawnCurve(curve, named.about, text, chart_svg(_chart(named, text)))


def _chart(named: NamedCurve, text: str) -> Chart:
    curve = named.curve
    line = tuple((point.place, float(point.candidates)) for point in curve.points)
    sure = tuple((point.place, float(point.passes)) for point in curve.points)
    band = tuple((point.place, float(point.passes), float(point.candidates)) for point in curve.points)
    return Chart(
        title=f"{curve.criterion_id} in {curve.arm}: {named.about} {curve.word}",
        description=text,
        x=_axis(curve),
        y=people_axis("Candidates", max(point.candidates for point in curve.points)),
        lines=(Line("candidates", line), Line("pass it for sure", sure, style=2)),
        bands=(Band("unknown", band),),
        marks=(Mark("now", (curve.now.place, float(curve.now.candidates))),),
        height=240,
    )


def _axis(curve: WhatIfCurve) -> Axis:
    places = [point.place for point in curve.points]
    low, high = min(places), max(places)
    low, high = (low, high) if high > low else (low - 1, high + 1)
    shown = _apart(curve.points, curve.now, (high - low) * _APART)
    return Axis(curve.word, low, high, tuple((point.place, wording.plain_units(point.value)) for point in shown))


def _apart(points: Sequence[WhatIfPoint], now: WhatIfPoint, least: float) -> list[WhatIfPoint]:
    """Choose whose values are written below: the one in force, and others that do not touch each other."""
    least *= max(1.0, max(len(point.value) for point in points) / 6)
    shown = [now]
    for point in points:
        if all(abs(point.place - other.place) >= least for other in shown):
            shown.append(point)
    return shown
