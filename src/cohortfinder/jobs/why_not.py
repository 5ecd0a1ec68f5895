"""The question why a patient is no candidate of some arms, asked where a screening has just been."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta

from duckdb import DuckDBPyConnection

from cohortfinder.criteria.judgement import JudgementQuestion
from cohortfinder.engine.rules import same_question
from cohortfinder.engine.why_not import Course, answers_of, ask_courses, explain_leaves
from cohortfinder.model import Arm, Criterion, Leaf, Rule, Trial, leaves_of
from cohortfinder.ranking.ways import Asked, truth_of
from cohortfinder.ranking.why_not import WhyNot, why_not
from cohortfinder.report.why_not import WhyNots
from cohortfinder.terminology import Terminology
from cohortfinder.wording import Language

# of a criterion in an arm
_Place = tuple[str, str]


def ask_why_not(
    connection: DuckDBPyConnection,
    trial: Trial,
    terminology: Terminology,
    language: Language,
    *,
    loaded: Mapping[str, bool],
    patient: str,
    arms: Collection[str],
    listed: Collection[str],
) -> WhyNots:
    """Return the smallest set of facts that would have to change in some arms; `listed` are those that list her.

    It comes after `screen` or `gather_for_one` on the same connection.
    """
    assert language.as_of is not None
    as_of = language.as_of
    said = answers_of(connection, patient)
    answered = {place: _answer_leaf(trial, *place) for place in said}
    courses = ask_courses(connection, trial, terminology, as_of=as_of, loaded=loaded, patient=patient, arms=arms)
    for place, leaf in answered.items():
        courses[same_question(leaf)] = Course(leaf, ((as_of, said[place].truth),))
    found = {
        arm.id: _why_not(trial, arm, answered, courses, as_of, is_listed=arm.id in listed)
        for arm in trial.arms
        if arm.id in arms
    }
    told = {(leaf.id, as_of): said[place] for place, leaf in answered.items()}
    asked = (one for one in _to_tell(found.values(), as_of) if one[0] not in answered.values())
    told |= explain_leaves(connection, trial, terminology, loaded=loaded, patient=patient, asked=asked)
    return WhyNots(found, told, language)


def _why_not(
    trial: Trial, arm: Arm, answered: Mapping[_Place, Leaf], courses: Mapping[object, Course], as_of: date, *,
    is_listed: bool,
) -> WhyNot | None:  # fmt: skip
    rules = ((one, answered.get((arm.id, one.id)) or one.rule_in(arm.id)) for one in trial.criteria_of(arm.id))
    asked = [_asked(one, rule, arm, courses, is_listed=is_listed) for one, rule in rules if rule is not None]
    used = {same_question(leaf) for one in asked for leaf in leaves_of(one.rule)}
    return why_not(arm.id, asked, {question: courses[question] for question in courses if question in used}, as_of)


def _asked(criterion: Criterion, rule: Rule, arm: Arm, courses: Mapping[object, Course], *, is_listed: bool) -> Asked:
    """Return what a criterion must be; an entry criterion must be known, unless she is listed though it is open."""
    is_entry = criterion.id == arm.entry
    suggested = is_listed and truth_of(rule, lambda leaf: courses[same_question(leaf)].today) is None
    return Asked(
        criterion_id=criterion.id,
        rule=rule,
        wanted=criterion.kind == "inclusion",
        known=is_entry and not suggested,
        judged=criterion.certainty == "judgement",
    )


def _to_tell(found: Iterable[WhyNot | None], as_of: date) -> Iterator[tuple[Leaf, date]]:
    """Yield the leaves that have to change, with the days of which something is told: today, and about a turn."""
    for change in (change for one in found if one is not None for change in one.changes):
        yield change.leaf, as_of
        if change.day is not None and change.sort != "test":
            yield change.leaf, change.day - timedelta(days=1)
            yield change.leaf, change.day


def _answer_leaf(trial: Trial, arm: str, criterion_id: str) -> Leaf:
    """Return a criterion that a person has answered as one question: another answer would change it."""
    criterion = next(one for one in trial.criteria if one.id == criterion_id)
    question = JudgementQuestion(judgement=f"another answer to {criterion_id} in {arm}")
    return Leaf(f"{criterion_id} {arm}", "judgement", question, criterion.kind == "exclusion", criterion.line)
