"""The aims of a trial to charts that reach them: the engine is asked, and for those that missed more are made."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from cohortfinder.dummy.chart import Chart
from cohortfinder.dummy.patients import Aim, Casting, some_charts

# the verdict of each patient, arm and criterion
Said = Mapping[tuple[str, str, str], str]
Ask = Callable[[Mapping[str, Chart]], Said]
# how many charts of an aim are tried: one of each, then more of those that have missed
ROUNDS = (1, 6, 24)


@dataclass(slots=True)
class Tried:
    """What became of one aim: the charts that reached it, and the verdicts that others got instead."""

    aim: Aim
    reached: list[Chart] = field(default_factory=list)
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
                _note(one, chart, name, said)
        first += count
    return tried


def _note(one: Tried, chart: Chart, name: str, said: Said) -> None:
    aim = one.aim
    verdict = said.get((name, aim.arm, aim.criterion), "not evaluated") if aim.criterion else "pass"
    if not aim.criterion or verdict == aim.verdict:
        one.reached.append(chart)
    else:
        one.missed.append(verdict)
