"""The words of a leaf `change`: an amount in a unit that its concepts have, and windows that two results can fill."""

from decimal import Decimal

from cohortfinder.criteria.change import ChangeQuestion
from cohortfinder.model import Duration, Leaf
from cohortfinder.trials.bounds import LIMITS, check_unit
from cohortfinder.trials.problems import Problems
from cohortfinder.trials.vocabulary import Vocabulary

_DAYS = {"days": 1, "weeks": 7, "months": 30, "years": 365}


def check_change(leaf: Leaf, question: ChangeQuestion, vocabulary: Vocabulary, problems: Problems) -> None:
    """Note an amount that no difference can have, a reading without meaning, and windows that exclude each other."""
    word = "rises_by" if question.rises_by else "falls_by"
    amount, line = question.amount, leaf.line_of(word)
    units = {name: vocabulary.observation_concepts[name].unit for name in question.change}
    for position, name in enumerate(question.change):
        if vocabulary.observation_concepts[name].value_kind == "ordinal":
            problems.add(leaf.line_of("change", position), f"'{name}' is no number, so it cannot rise or fall")
        elif amount.unit != "%" or units[name] == "%":
            check_unit(line, name, amount, vocabulary, problems)
    if amount.unit in LIMITS:
        problems.add(line, f"a change is in percent or in the unit of the concept, not in {amount.unit}")
    if question.falls_by and amount.unit == "%" and amount.value > Decimal(100) and question.reading != "absolute":
        problems.add(line, "nothing falls by more than 100 % of what it was; write 100 % or less")
    if question.reading != "relative" and (amount.unit != "%" or "%" not in units.values()):
        message = f"'reading: {question.reading}' is for an amount in percent of a concept that is itself in percent"
        problems.add(leaf.line_of("reading"), message)
    if question.apart.count == 0:
        problems.add(leaf.line_of("apart"), "two results of one day are no change; write at least 1 day")
    elif _days(question.apart) > _days(question.over):
        problems.add(leaf.line_of("apart"), "'apart' is longer than 'over', so no two results fit; make it shorter")
    for word, span in (("over", question.over), ("recent", question.recent)):
        if span is not None and span.count == 0:
            problems.add(leaf.line_of(word), "a window of length 0 can never match; write at least 1 day")


def _days(duration: Duration) -> int:
    return duration.count * _DAYS[duration.unit]
