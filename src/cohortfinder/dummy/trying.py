"""The aims of a trial to charts that reach them: the engine is asked, and for those that missed more are made."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cohortfinder.dummy.chart import Chart
from cohortfinder.dummy.patients import Aim, Casting, some_charts
from cohortfinder.model import Trial

# the verdict of each patient, arm and criterion
Said = Mapping[tuple[str, str, str], str]
Ask = Callable[[Mapping[str, Chart]], Said]
# how many charts of an aim are tried: one of each, then more of those that have missed
ROUNDS = (1, 6, 24)


@dataclass(frozen=True, slots=True)
class Reached:
    """A chart that reached an aim, and all the verdicts that it got in the arm."""

    chart: Chart
    verdicts: Mapping[str, str]


@dataclass(slots=True)
class Tried:
    """What became of one aim: the charts that reached it, and the verdicts that others got instead."""

    aim: Aim
    reached: list[Reached] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def reach(casting: Casting, aims: Iterable[Aim], ask: Ask, *, each: int) -> list[Tried]:
    """Return for each aim up to `each` charts that reach it.

    The plainest chart of each aim is tried first. Of an aim that was missed, and of all where several are wanted, more
    are tried.
    """
    tried = [Tried(aim) for aim in aims]
    first = 0
    for count in ROUNDS:
        wanting = [one for one in tried if len(one.reached) < each]
        charts = {
            f"t{number}-{place}": (one, chart)
            for number, one in enumerate(wanting)
            for place, chart in enumerate(some_charts(casting, one.aim, first, first + count))
        }
        if not charts:
            break
        said = ask({name: chart for name, (_, chart) in charts.items()})
        for name, (one, chart) in charts.items():
            if len(one.reached) < each:
                _note(one, chart, verdicts_in(casting.scene.trial, one.aim.arm, name, said))
        first += count
    return tried


def _note(one: Tried, chart: Chart, verdicts: Mapping[str, str]) -> None:
    if reaches(one.aim, verdicts):
        one.reached.append(Reached(chart, verdicts))
    else:
        one.missed.append(verdicts[one.aim.criterion])


def verdicts_in(trial: Trial, arm: str, patient: str, said: Said) -> dict[str, str]:
    """Return the verdicts of a patient by the criteria of an arm."""
    return {one.id: said.get((patient, arm, one.id), "not evaluated") for one in trial.criteria_of(arm)}


def reaches(aim: Aim, verdicts: Mapping[str, str]) -> bool:
    """Say whether the criterion got the verdict that is aimed at; a typical patient is whatever it is."""
    return not aim.criterion or verdicts[aim.criterion] == aim.verdict
