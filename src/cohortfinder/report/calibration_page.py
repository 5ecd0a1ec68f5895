"""How right the chances were, as the page tells it: sentences, and which share passed at which chance as a drawing."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from markupsafe import Markup

from cohortfinder.ranking.calibration import Calibration, Estimate
from cohortfinder.report.drawing import Chart, Line, Span, axis, chart_svg
from cohortfinder.report.screening import Screening
from cohortfinder.wording import counted


@dataclass(frozen=True, slots=True)
class CalibrationPage:
    """What is said first, what is said beside it, and the drawing, where there is an outcome to draw."""

    told: tuple[str, ...]
    left_out: tuple[str, ...]
    drawing: Markup | None


def calibration_page(screening: Screening) -> CalibrationPage | None:
    """Return what the outcomes of screenings tell of the chances; None where nobody has told an outcome."""
    found = screening.calibration
    if found is None:
        return None
    drawing = chart_svg(_chart(found)) if found.ended else None
    return CalibrationPage(tuple(_told(found)), tuple(_left_out(found)), drawing)


def calibration_record(found: Calibration | None) -> dict[str, Any] | None:
    """Return what run.json tells of the outcomes; None where there are none."""
    if found is None:
        return None
    line, brier = found.map, found.brier
    return {
        "outcomes": len(found.ended),
        "passed": found.passed,
        "expected": round(found.expected, 3),
        "excluded": found.excluded,
        "excluded_passed": found.excluded_passed,
        "unlisted": found.unlisted,
        "undecided": found.undecided,
        "brier": asdict(brier) if brier else None,
        "brier_of_base_rate": found.reference,
        "recalibrated": {"slope": line.slope, "shift": line.shift, "brier_of_unseen": found.unseen} if line else None,
    }


def _told(found: Calibration) -> Iterator[str]:
    if found.brier is None or found.reference is None or found.gain is None:
        yield "No outcome is about a patient who was a candidate before anybody looked: nothing can be judged by it."
        return
    number, rate = len(found.ended), _percent(found.passed / len(found.ended))
    ended = f"{counted(number, 'screening')} of candidates ended"
    yield f"{ended}: {found.passed} passed, {found.expected:.1f} were expected."
    if not found.enough:
        yield f"{counted(number, 'outcome')}: too few to judge. The spans in the drawing say how little they tell."
    yield (
        f"Brier score {_estimate(found.brier)}, where 0 is best. To say of everybody that {rate} pass would have "
        f"{found.reference:.3f}. {_gained(found)}"
    )
    yield _recalibrated(found)


def _gained(found: Calibration) -> str:
    """Say whether the chances tell more than the share that passed."""
    gain = found.gain
    if gain is None or not found.enough:
        return ""
    if found.passed in (0, len(found.ended)):
        return "All ended alike, so that nobody can see whether the chances tell patients apart."
    if gain.low is None or gain.high is None or gain.low <= 0 <= gain.high:
        return "So far the chances cannot be shown to tell more than that."
    return "The chances tell more than that." if gain.mean > 0 else "The chances tell less: do not rely on them."


def _recalibrated(found: Calibration) -> str:
    """Say whether outcomes correct the chances, and how."""
    if found.declared is None:
        return "The trial file declares no calibration: chances are shown as they are estimated."
    if found.map is None or found.unseen is None:
        least = f"{found.declared.at_least:g}"
        return (
            f"From {least} of these outcomes on the chances are corrected; until then they are as they are estimated."
        )
    shift = f"{'plus' if found.map.shift >= 0 else 'minus'} {abs(found.map.shift):.2f}"
    return (
        f"Outcomes correct the chances: their logit times {found.map.slope:.2f} {shift}, held back by "
        f"{found.declared.weight:g} invented outcomes that come up as the chances say. On outcomes that it was not "
        f"made from the Brier score is {found.unseen:.3f}. The order of the list stays as it is."
    )


def _left_out(found: Calibration) -> Iterator[str]:
    """Say of whom the outcomes say nothing here."""
    outcomes = partial(counted, what="outcome")
    if found.excluded:
        passed = f"{found.excluded_passed} passed"
        yield f"{outcomes(found.excluded)} of patients with a failing criterion before; {passed} all the same."
    if found.unlisted:
        yield f"{outcomes(found.unlisted)} of patients who are not listed today, or were not by the data alone."
    if found.undecided:
        yield f"{outcomes(found.undecided)} with nothing about the criteria (declined, not sure)."


def _chart(found: Calibration) -> Chart:
    # scores are often low: what nobody has is not drawn
    most = max(100 * max(one.high, one.score) for one in found.groups)
    side = axis("Chance before anybody looked, %", 0, most)
    lines = [Line("as expected", ((0, 0), (side.high, side.high)), style=3)]
    if found.map:
        curve = ((place, 100 * found.map.of(place / 100)) for place in range(math.ceil(side.high)))
        lines.append(Line("corrected", tuple(point for point in curve if point[1] <= side.high), style=1))
    return Chart(
        title="Chances and outcomes",
        description="; ".join(
            f"of {one.number} with a chance of {_percent(one.score)} on average {_percent(one.share)} passed"
            for one in found.groups
        ),
        x=side,
        y=replace(side, label="Passed, % (how many outcomes, 95 % interval)"),
        lines=tuple(lines),
        spans=tuple(
            Span(str(one.number), (100 * one.score, 100 * one.share), 100 * one.low, 100 * one.high)
            for one in found.groups
        ),
        height=340,
    )


def _estimate(one: Estimate) -> str:
    interval = (
        "" if one.low is None or one.high is None else f" (95 % interval {max(one.low, 0):.3f} to {one.high:.3f})"
    )
    return f"{one.mean:.3f}{interval}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
