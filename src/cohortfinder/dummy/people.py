"""The leaves `age` and `sex`: when a patient is born, and which gender is recorded."""

from collections.abc import Iterator
from datetime import date, timedelta

from cohortfinder.criteria.age import AgeQuestion
from cohortfinder.criteria.sex import SexQuestion
from cohortfinder.dates import years_back
from cohortfinder.dummy.facts import Born, Gender, Way
from cohortfinder.dummy.scene import Scene
from cohortfinder.model import Truth

# nobody is invented who is older, or has no birthday yet
_OLDEST, _NEW = 110, 0
_DAY = timedelta(days=1)


def age_ways(question: AgeQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield birth dates in the years that are asked, on the day beside them, or known to the year only."""
    youngest = _NEW if question.age.at_least is None else question.age.at_least
    oldest = _OLDEST if question.age.at_most is None else question.age.at_most
    last = years_back(scene.as_of, youngest)
    first = years_back(scene.as_of, oldest + 1) + _DAY
    if truth is None:
        yield from _open(question, first, last)
    elif truth:
        middle = first + (last - first) / 2
        yield (Born(first, last, last if just else middle),)
    else:
        yield from _missed(question, first, last, scene, just=just)


def _missed(question: AgeQuestion, first: date, last: date, scene: Scene, *, just: bool) -> Iterator[Way]:
    if question.age.at_most is not None:
        oldest = years_back(scene.as_of, _OLDEST)
        yield (Born(oldest, first - _DAY, first - _DAY if just else first - timedelta(days=2000)),)
    if question.age.at_least is not None:
        wanted = last + (_DAY if just else timedelta(days=700))
        yield (Born(last + _DAY, scene.recent, min(wanted, scene.recent)),)


def _open(question: AgeQuestion, first: date, last: date) -> Iterator[Way]:
    for asked, day in ((question.age.at_least, last), (question.age.at_most, first)):
        if asked is not None and (day.month, day.day) != (12, 31):
            yield (Born(day, day, day, "year"),)
    yield (Born(first, last, last, "nothing"),)


def sex_ways(question: SexQuestion, truth: Truth, scene: Scene, *, just: bool) -> Iterator[Way]:
    """Yield the gender that is asked, the other one, or none."""
    if truth is None:
        yield (Gender(None),)
    elif truth:
        yield (Gender(question.sex),)
    else:
        yield (Gender("female" if question.sex == "male" else "male"),)
