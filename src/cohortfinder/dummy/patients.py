"""The aims of a trial (a criterion and the verdict that it shall get) to charts of whole patients."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from cohortfinder.dates import months_back, years_back
from cohortfinder.dummy.chart import Chart
from cohortfinder.dummy.facts import Born, Gender, Record, Way
from cohortfinder.dummy.scene import Scene
from cohortfinder.dummy.solve import Solver
from cohortfinder.model import Criterion, Trial, Truth
from cohortfinder.trials.claims import VERDICTS
from cohortfinder.trials.possible import possible_verdicts

_USUAL_AGE = 41
_SHORT = 400


@dataclass(frozen=True, slots=True)
class Aim:
    """A verdict that one criterion shall get in an arm; all others shall pass. Without a criterion, all of them."""

    arm: str
    criterion: str = ""
    verdict: str = "pass"


@dataclass(slots=True)
class Casting:
    """Finds charts for the aims of one trial."""

    trial: Trial
    solver: Solver
    _bases: dict[str, Chart] = field(default_factory=dict)

    @property
    def scene(self) -> Scene:
        """What the charts rest on."""
        return self.solver.scene

    def charts(self, aim: Aim) -> Iterator[Chart]:
        """Yield charts that should reach the aim, different in what they are made of."""
        if not aim.criterion:
            yield self.base(aim.arm)
            return
        criterion = next(one for one in self.trial.criteria if one.id == aim.criterion)
        rule = criterion.rule_in(aim.arm)
        if rule is None:
            return
        truth, seen = truth_of(criterion, aim.verdict), list[Chart]()
        for just in (True, False):
            for chart in self.solver.charts(rule, truth, self._nobody(), just=just):
                if chart not in seen:
                    seen.append(chart)
                    yield self._completed(chart, aim.arm, but=criterion.id)

    def base(self, arm: str) -> Chart:
        """Return the chart of a patient who passes every criterion of an arm, as far as one can be made."""
        if arm not in self._bases:
            self._bases[arm] = self._completed(self._nobody(), arm)
        return self._bases[arm]

    def patient(self, facts: Way) -> Chart:
        """Return a chart with these facts alone, and what every patient has."""
        return self._with_person(self._with_some_drug(self._nobody().with_facts(facts) or self._nobody()))

    def _nobody(self) -> Chart:
        return Chart(self.scene.codes.matches)

    def _completed(self, chart: Chart, arm: str, but: str = "") -> Chart:
        """Add what lets the other criteria of the arm pass, the entry first; one that contradicts is left out."""
        entry = next(one.entry for one in self.trial.arms if one.id == arm)
        criteria = sorted(self.trial.criteria_of(arm), key=lambda one: (one.id != entry, one.position))
        for criterion in criteria:
            rule = criterion.rule_in(arm)
            if criterion.id == but or rule is None:
                continue
            passing = self.solver.charts(rule, truth_of(criterion, "pass"), chart, steps=_SHORT)
            chart = next(passing, chart)
        return self._with_person(self._with_some_drug(chart))

    def _with_some_drug(self, chart: Chart) -> Chart:
        """Add a drug that the trial does not ask for: without any, silence on drugs would prove nothing."""
        began = months_back(self.scene.as_of, 20)
        some = self.scene.codes.unrelated("medication", 1)
        drugs = [Record("medication", *one, began, months_back(began, -2), form="statement") for one in some]
        return chart.with_facts(drugs) or chart

    def _with_person(self, chart: Chart) -> Chart:
        """Give a birth date and a gender to a patient of whom no criterion asks them."""
        usual = years_back(self.scene.as_of, _USUAL_AGE) - timedelta(days=100)
        if chart.born is None:
            chart = chart.with_facts([Born(usual, usual, usual)]) or chart
        return chart if chart.gender is not None else chart.with_facts([Gender("female")]) or chart


def truth_of(criterion: Criterion, verdict: str) -> Truth:
    """Return the truth of its sentence that gives a criterion this verdict."""
    if verdict == "unknown":
        return None
    return (verdict == "pass") == (criterion.kind == "inclusion")


def some_charts(casting: Casting, aim: Aim, first: int, last: int) -> list[Chart]:
    """Return the charts of an aim from one number to another."""
    return list(islice(casting.charts(aim), first, last))


def aims_of(trial: Trial) -> list[list[Aim]]:
    """Return the aims in turns: a typical patient of each arm and each verdict once, then the same in other arms."""
    turns: list[list[Aim]] = [[Aim(arm.id) for arm in trial.arms], *([] for _ in trial.arms[1:])]
    for number, criterion in enumerate(trial.criteria):
        possible = {arm: possible_verdicts(criterion, arm) for arm in criterion.arms}
        for verdict in VERDICTS:
            arms = [arm for arm in criterion.arms if verdict in possible[arm]]
            for turn, _ in enumerate(arms):
                turns[turn].append(Aim(arms[(number + turn) % len(arms)], criterion.id, verdict))
    return turns
