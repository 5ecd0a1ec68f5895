"""Where patients drop out, as the page draws it: the way as a flow, its steps as a curve, and the numbers beside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cohortfinder.ranking.funnel import FunnelStep, PeopleStep
from cohortfinder.report.drawing import Axis, Band, Box, Chart, Flow, Line, chart_svg, flow_svg, people_axis
from cohortfinder.report.screening import Screening

Step = FunnelStep | PeopleStep
# of so many criteria the flow says how many they remove
_NAMED = 8


@dataclass(frozen=True, slots=True)
class FunnelBar:
    """A step of the funnel as its table draws it; the widths are percents of those who are listed."""

    step: Step
    remaining: float
    certain: float


@dataclass(frozen=True, slots=True)
class Funnel:
    """A funnel as it is drawn: of an arm, or (no `arm`) of the whole trial as people. `start` counts the living."""

    arm: str
    name: str
    start: int
    bars: tuple[FunnelBar, ...]
    flow: Markup
    curve: Markup

    @property
    def listed(self) -> int:
        """Who is listed."""
        return self.bars[0].step.remaining


def funnels(screening: Screening) -> Iterator[Funnel]:
    """Yield the funnel of the trial, where it has several arms, then that of each arm that has a computed criterion."""
    computed = {criterion.id for criterion in screening.trial.criteria if criterion.computed}
    people = [step for step in screening.people if step.criterion_id in computed or step.order == 1]
    if people and len(screening.trial.arms) > 1:
        yield _funnel("", "All arms together", people, _statuses(screening))
    for arm in screening.trial.arms:
        steps = [step for step in screening.funnel if step.arm == arm.id and step.criterion_id in computed]
        if steps:
            yield _funnel(arm.id, arm.name, steps, _statuses(screening, arm.id))


def _statuses(screening: Screening, arm: str | None = None) -> tuple[int, int]:
    """Count the people who are eligible (in some arm), and those who are at least possible."""
    chosen = [one for one in screening.candidates if arm in (None, one.arm)]
    eligible = {one.patient_id for one in chosen if one.status == "eligible"}
    possible = {one.patient_id for one in chosen if one.status == "possible"} - eligible
    return len(eligible), len(possible)


def _funnel(arm: str, name: str, steps: Sequence[Step], statuses: tuple[int, int]) -> Funnel:
    # drawn against the listed patients: beside a whole hospital they would not be seen
    listed = max(steps[0].remaining, 1)
    bars = tuple(
        FunnelBar(step, round(100 * step.remaining / listed, 1), round(100 * step.certain / listed, 1))
        for step in steps
    )
    start = steps[0].remaining + steps[0].removed
    title = f"{arm or 'The trial'}: where patients drop out"
    flow, curve = flow_svg(_flow(title, steps, start, statuses)), chart_svg(_curve(title, steps))
    return Funnel(arm, name, start, bars, flow, curve)


def _flow(title: str, steps: Sequence[Step], start: int, statuses: tuple[int, int]) -> Flow:
    listed, excluded = steps[0].remaining, steps[0].remaining - steps[-1].remaining
    eligible, possible = statuses
    words = (
        f"Of {start} living patients {listed} are listed; of them {excluded} are excluded, "
        f"{eligible} are eligible and {possible} possible."
    )
    return Flow(
        title=title,
        description=words,
        boxes=(Box((f"Living patients: {start}",)), Box((f"Listed: {listed}",))),
        aside=(
            Box((f"Not listed: {steps[0].removed}",)) if steps[0].removed else None,
            Box((f"Excluded: {excluded}", *_reasons(steps[1:]))) if excluded else None,
        ),
        ends=(Box((f"Eligible: {eligible}",)), Box((f"Possible: {possible}", "something is unknown"))),
    )


def _reasons(steps: Sequence[Step]) -> Iterator[str]:
    """Say how many each criterion removes, in protocol order: the criteria that remove most, and the others as one."""
    most = sorted((step for step in steps if step.removed), key=lambda step: (-step.removed, step.order))
    for step in sorted(most[:_NAMED], key=lambda step: step.order):
        yield f"{step.criterion_id}: {step.removed}"
    if rest := most[_NAMED:]:
        yield f"{len(rest)} others: {sum(step.removed for step in rest)}"
    if only := sum(step.fails_only or 0 for step in steps):
        yield f"fail only one criterion: {only}"


def _curve(title: str, steps: Sequence[Step]) -> Chart:
    last = len(steps)
    remaining = [(number, step.remaining) for number, step in enumerate(steps, start=1)]
    certain = [(number, step.certain) for number, step in enumerate(steps, start=1)]
    # the last step is seen, too
    remaining.append((last + 1, steps[-1].remaining))
    certain.append((last + 1, steps[-1].certain))
    band = tuple((place, low, high) for (place, high), (_, low) in zip(remaining, certain, strict=True))
    places = range(1, last + 1, max(1, -(-last // 8)))
    return Chart(
        title=f"{title}, step by step",
        description=(
            f"After {last} criteria {steps[-1].remaining} people remain; {steps[-1].certain} of them pass all that "
            "data can tell."
        ),
        x=Axis("Criterion, in protocol order", 1, last + 1, tuple((place + 0.5, str(place)) for place in places)),
        y=people_axis("People", steps[0].remaining),
        lines=(
            Line("remain", tuple(remaining), stepped=True),
            Line("pass for sure", tuple(certain), style=2, stepped=True),
        ),
        bands=(Band("unknown", band, stepped=True),),
    )
