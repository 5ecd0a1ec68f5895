"""A trial and the typed tables to verdicts: facts, listing, verdicts, and the day on which each changes by itself.

Leaves behind, as tables that the connection sees: `gate` (who is kept off every list), `trial_criterion`, `listing`,
`verdict`, `funnel_truth`, `answer` and `answered`, `eligible_from`, the tables of `outlook` and of `before`,
`open_verdict` with what it hangs on, and the facts (`result`, `condition_event`, ...).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from duckdb import DuckDBPyConnection

from cohortfinder.dates import months_back
from cohortfinder.engine.asking import Asker
from cohortfinder.engine.before import ask_before
from cohortfinder.engine.carry import Carry, Keeping, Reach
from cohortfinder.engine.coverage import concept_windows, window_values
from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.outlook import tell_turns
from cohortfinder.engine.plan import (
    MADE_OF,
    asks_one_day,
    concepts_asked,
    counts_apart,
    fact_statements,
    people_statements,
    record_facts,
    record_statements,
)
from cohortfinder.engine.questions import Setting
from cohortfinder.engine.rules import plan_rules
from cohortfinder.engine.unknowns import concepts_of_leaves, node_values, rule_nodes
from cohortfinder.gates import NO_LISTS, Gates
from cohortfinder.model import Answer, Outcome, Trial
from cohortfinder.terminology import Terminology

HORIZON_YEARS = 2
# how often a day of hope may turn out to be none before the search for another one ends
_HOPES = 5
# as few truths as these are asked on many days at once: it takes longer to plan a statement than to ask them
_FEW = 500
_DAYS_AHEAD = 32
# how many of the listed patients are evaluated at a time: what their leaves rest on takes memory
_PART = 10_000


def screen(
    connection: DuckDBPyConnection, trial: Trial, terminology: Terminology, *, as_of: date, loaded: Mapping[str, bool],
    gates: Gates = NO_LISTS, everyone: bool = False, alone: str | None = None, horizon_years: int = HORIZON_YEARS,
    outlook_weeks: int = 0, answers: Sequence[Answer] = (), outcomes: Sequence[Outcome] = (),
    keeping: Keeping | None = None,
) -> int | None:  # fmt: skip
    """Evaluate a trial for its listed patients, or for everyone.

    The entry criteria are asked of everyone; what the others need is gathered for those who are then listed.
    Nobody is asked about who is behind one of the `gates`, and with `alone` only the patient of that id is. `loaded`
    says for each resource type in the store whether it is complete. `changes_on` looks ahead `horizon_years` years.
    Every change within the next `outlook_weeks` is followed and told, and when a patient stops being eligible; with 0
    neither. `answers` of people, the earliest first, decide their criteria; `outcomes` ask the truths before them.
    `keeping`: from which evaluation to go on, and where to keep this one; what comes out is the same. Return how many
    patients were asked again then, None where everybody was.
    """
    engine = DuckDBEngine(connection)
    setting = Setting(terminology, loaded)
    asker = Asker(engine, plan_rules(trial, setting), counted=counts_apart(trial))
    reach, entries = _reach(as_of, horizon_years, outlook_weeks), _entries(trial)
    first = None if everyone else entries["entries"]
    carry = Carry(engine, keeping, as_of, reach)
    _find_people(engine, trial, terminology, as_of, gates, first, alone, lambda: carry.narrow(answers, outcomes))
    told = _gather_for_entries(engine, trial, terminology, as_of, first)
    _put_down(engine, trial, answers)
    _ask_everyone(asker, entries["entries"], as_of)
    carry.note("entry", as_of=as_of)
    engine.run_template("verdicts/listing.sql.jinja", everyone=everyone, **entries)
    if first is not None:
        _gather_for_listed(engine, trial, terminology, as_of, told)
    carry.note("record", as_of=as_of, tables=_seen_in(trial))
    _make_tables(engine, trial, carry.kept)
    carry.spare()
    _note_rules(asker, trial, setting, as_of)
    _evaluate(asker, trial, as_of, carry)
    carry.stand(trial, setting)
    _look_ahead(asker, as_of, reach, carry)
    if outcomes or carry.on:
        ask_before(asker, answers, outcomes, as_of)
    carry.join(trial, setting)
    engine.run_template("verdicts/funnel_truth.sql.jinja", **entries)
    carry.keep()
    return carry.asked


def _put_down(engine: DuckDBEngine, trial: Trial, answers: Sequence[Answer]) -> None:
    """Write the criteria of the trial and the answers of people into tables."""
    engine.run_template("verdicts/trial_criterion.sql.jinja", **_criterion_rows(trial))
    engine.run_template("verdicts/answer.sql.jinja", **_answer_rows(answers))


def _reach(as_of: date, horizon_years: int, outlook_weeks: int) -> Reach:
    until = as_of + timedelta(weeks=outlook_weeks) if outlook_weeks else None
    return Reach(months_back(as_of, -12 * horizon_years), horizon_years, until, outlook_weeks)


def _seen_in(trial: Trial) -> tuple[str, ...]:
    """Return the tables of the days of records."""
    return ("observed", "counted") if counts_apart(trial) else ("observed",)


def gather_for_one(
    connection: DuckDBPyConnection, trial: Trial, terminology: Terminology, *, as_of: date, patient: str, gates: Gates,
    answers: Sequence[Answer] = (),
) -> None:  # fmt: skip
    """Gather what all criteria need of one patient, on a connection on which a screening has been."""
    engine = DuckDBEngine.of(connection)
    _find_people(engine, trial, terminology, as_of, gates, None, patient, lambda: None)
    engine.run_all(fact_statements(trial, terminology, as_of))
    engine.run_template("verdicts/answer.sql.jinja", **_answer_rows(answers))


def _find_people(
    engine: DuckDBEngine, trial: Trial, terminology: Terminology, as_of: date, gates: Gates,
    first: Collection[str] | None, alone: str | None, narrow: Callable[[], None],
) -> None:  # fmt: skip
    """Find out who may be asked: all who are behind no gate, or one patient; `first` are the first criteria, or all.

    `narrow` leaves out whom it is not necessary to ask. When somebody was seen is found out of the others.
    """
    lately = first is not None and asks_one_day(trial, first)
    *people, observed = people_statements(trial, terminology, as_of, gates=gates, lately=lately)
    engine.run_all(people)
    for table in ("person", "individual") if alone is not None else ():
        engine.run_template(f"facts/alone_{table}.sql.jinja", patient=alone)
    engine.run_template("diff/everybody.sql.jinja")
    narrow()
    engine.run(observed.rendered)


def _gather_for_entries(
    engine: DuckDBEngine, trial: Trial, terminology: Terminology, as_of: date, first: Collection[str] | None
) -> tuple[str, ...]:
    """Gather of everyone what the first criteria need; return the concepts whose unusable results are told."""
    made = fact_statements(trial, terminology, as_of, first)
    engine.run_all(made)
    engine.run_template("diff/entry_record.sql.jinja", facts=record_facts(trial, first))
    if not any(statement.name == "result" for statement in made):
        return ()
    engine.run_template("quality/result_problem.sql.jinja", told=())
    return concepts_asked(trial, first)


def _gather_for_listed(
    engine: DuckDBEngine, trial: Trial, terminology: Terminology, as_of: date, told: tuple[str, ...]
) -> None:
    """Gather what all criteria need of the listed patients; unusable results of the concepts `told` are known."""
    engine.run_template("facts/listed_person.sql.jinja")
    engine.run_template("facts/observed.sql.jinja", zone=trial.time_zone)
    engine.run_all(fact_statements(trial, terminology, as_of))
    engine.run_template("quality/result_problem.sql.jinja", told=told)


def _forget_made_of(engine: DuckDBEngine) -> None:
    for table in MADE_OF:
        engine.run_template("results/forget.sql.jinja", table=table)


def _ask_everyone(asker: Asker, entries: Collection[str], as_of: date) -> None:
    """Ask the entry criteria of every living person."""
    rules = {name: asker.plan.rules[name] for name in asker.plan.rules if name in entries}
    asker.engine.run_template("verdicts/asked_everyone.sql.jinja", rules=list(rules), as_of=as_of)
    asker.ask(rules)
    asker.engine.run_template("verdicts/entry_truth.sql.jinja")


def _make_tables(engine: DuckDBEngine, trial: Trial, kept: str | None) -> None:
    """Make the tables that the parts of the listed patients fill, and the views of their records."""
    _forget_made_of(engine)
    engine.run_all(record_statements(trial, kept))
    for table in ("answered", "verdict_today", "held", "watch"):
        engine.run_template(f"verdicts/{table}_table.sql.jinja")
    # made anew for each part, and empty where nobody is listed
    _forget_truths(engine)
    engine.run_template("verdicts/change.sql.jinja", table="turn")
    engine.run_template("verdicts/raised_flag.sql.jinja")


def _evaluate(asker: Asker, trial: Trial, as_of: date, carry: Carry) -> None:
    """Find the verdicts of the index date, those of a part of the listed patients at a time."""
    asker.engine.run_template("verdicts/listed_part.sql.jinja", size=_PART)
    for (number,) in asker.engine.rows("verdicts/parts.sql.jinja"):
        _evaluate_part(asker, number, as_of, carry)
        asker.engine.run_template("verdicts/answered.sql.jinja", part=number, zone=trial.time_zone)
        asker.engine.run_template("verdicts/verdict_today.sql.jinja", part=number, **_stated_flags(trial))


def _evaluate_part(asker: Asker, part: int, as_of: date, carry: Carry) -> None:
    """Ask all criteria of a part of the listed patients, then the rules of the flags."""
    engine, plan = asker.engine, asker.plan
    rules, flagged = list(plan.rules), [rule.criterion.id for rule in plan.flags.values()]
    asked = "verdicts/asked_listed.sql.jinja"
    _forget_truths(engine)
    engine.run_template(asked, rules=rules, holds=rules, column="asked", part=part, as_of=as_of)
    asker.explain(plan.rules.values())
    carry.note("leaf")
    engine.run_template("quality/note_open_verdicts.sql.jinja")
    engine.run_template("verdicts/hold.sql.jinja")
    engine.run_template("verdicts/watch.sql.jinja", table="criterion_truth")
    if plan.flags:
        flags = list(plan.flags)
        engine.run_template(asked, rules=flags, holds=flagged, column="criterion_id", part=part, as_of=as_of)
        asker.ask(plan.flags, held=True)
        carry.note("flag", rules=flags, criteria=flagged)
        raised = [rule.flag for rule in plan.flags.values()]
        engine.run_template("verdicts/raise_flag.sql.jinja", rules=flags, criteria=flagged, flags=raised)


def _forget_truths(engine: DuckDBEngine) -> None:
    engine.run_template("verdicts/truth_table.sql.jinja", table="criterion_truth", explained=True)


def _note_rules(asker: Asker, trial: Trial, setting: Setting, as_of: date) -> None:
    """Note the shape of the rules and the concepts of their leaves, for what the unknown verdicts hang on.

    Of each arm and concept also in which time it is asked for.
    """
    leaves = concepts_of_leaves(trial, asker.plan)
    asker.engine.run_template("quality/rule_node.sql.jinja", **node_values(rule_nodes(trial, asker.plan)))
    asker.engine.run_template(
        "quality/leaf_concept.sql.jinja",
        numbers=[number for number, _, _ in leaves],
        reasons=[reason for _, reason, _ in leaves],
        concepts=[concept for _, _, concept in leaves],
    )
    asker.engine.run_template("quality/open_verdict.sql.jinja")
    windows = concept_windows(trial, setting, as_of)
    asker.engine.run_template("quality/concept_window.sql.jinja", **window_values(windows))


def _look_ahead(asker: Asker, as_of: date, reach: Reach, carry: Carry) -> None:
    """Find when verdicts change, from when on and until when patients are eligible, and why."""
    _find_turns(asker, as_of, reach, carry)
    asker.engine.run_template("verdicts/verdict.sql.jinja")
    _find_eligible_from(asker, reach.horizon, carry)
    tell_turns(asker, reach.until)
    carry.tell_again()
    carry.note_turns()


def _find_turns(asker: Asker, as_of: date, reach: Reach, carry: Carry) -> None:
    """Find on which days truths change with no new data: the first day of each, and all up to `until`."""
    asker.engine.run_template("verdicts/in_play.sql.jinja")
    asker.engine.run_template("verdicts/leaf_turn_table.sql.jinja")
    carry.follow_on()
    follow(asker, "turn", reach.horizon, carry=True, until=reach.until, beyond=carry.note_beyond)
    asker.engine.run_template("verdicts/first_change.sql.jinja", as_of=as_of)


def follow(
    asker: Asker, table: str, horizon: date, *, carry: bool, until: date | None = None,
    beyond: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Ask who is in the table `watch` again and again, each time on the next day on which a truth may change.

    It ends when each has changed, into the table `table`, or `horizon` is reached.
    `until`: what has changed is followed on, up to that day, and for those in play until it fails.
    `carry`: the table `held` has answers of the leaves of the watched patients, so that a leaf which is not due need
    not be asked. `beyond` is called whenever `watch` may have days after the horizon.
    """
    engine, days = asker.engine, 1
    beyond()
    while asked := _rows_made(engine.rows("verdicts/asked_watched.sql.jinja", horizon=horizon, ahead=[*range(days)])):
        asker.ask(asker.plan.rules, held=carry)
        engine.run_template("verdicts/watch_changed.sql.jinja", table=table, ahead=[*range(days)])
        if carry and until is not None:
            engine.run_template("verdicts/leaf_turn.sql.jinja", until=until)
        if carry:
            engine.run_template("verdicts/held.sql.jinja")
        engine.run_template("verdicts/watch_on.sql.jinja", ahead=[*range(days)], until=until)
        beyond()
        days = _DAYS_AHEAD if asked <= _FEW * days else 1


def _find_eligible_from(asker: Asker, horizon: date, carry: Carry) -> None:
    """Find for each excluded patient the first day on which no criterion fails.

    It is at the earliest the day on which the last of the failing ones has changed; what fails on that day is
    followed again from there.
    """
    engine = asker.engine
    engine.run_template("verdicts/eligible_from.sql.jinja")
    hopeful = engine.rows("verdicts/hopeful.sql.jinja", horizon=horizon)
    for _ in range(_HOPES):
        if not _rows_made(hopeful):
            return
        engine.run_template("verdicts/truth_table.sql.jinja", table="hoped_truth", explained=False)
        engine.run_template("verdicts/hope_known.sql.jinja")
        if _rows_made(engine.rows("verdicts/asked_hoped.sql.jinja")):
            asker.ask(asker.plan.rules)
            engine.run_template("verdicts/hope_answered.sql.jinja")
        engine.run_template("verdicts/hope_fulfilled.sql.jinja")
        engine.run_template("verdicts/change.sql.jinja", table="later_change")
        engine.run_template("verdicts/watch_again.sql.jinja")
        follow(asker, "later_change", horizon, carry=False, beyond=carry.note_beyond)
        engine.run_template("verdicts/later_turn.sql.jinja")
        hopeful = engine.rows("verdicts/hopeful_again.sql.jinja", horizon=horizon)


def _rows_made(made: Iterable[tuple[Any, ...]]) -> int:
    """Return how many rows a statement that makes a table gave it: it tells their number."""
    return sum(number for (number,) in made)


def _criterion_rows(trial: Trial) -> dict[str, list[Any]]:
    rows = [(criterion, arm) for criterion in trial.criteria for arm in criterion.arms]
    return {
        "ids": [criterion.id for criterion, _ in rows],
        "asked": [criterion.asked_as(arm) for criterion, arm in rows],
        "arms": [arm for _, arm in rows],
        "positions": [criterion.position for criterion, _ in rows],
        "kinds": [criterion.kind for criterion, _ in rows],
        "certainties": [criterion.certainty for criterion, _ in rows],
        "computed": [criterion.computed for criterion, _ in rows],
    }


def _answer_rows(answers: Sequence[Answer]) -> dict[str, list[Any]]:
    return {
        "places": [*range(len(answers))],
        "patients": [one.patient_id for one in answers],
        "arms": [one.arm for one in answers],
        "criteria": [one.criterion_id for one in answers],
        "truths": [one.truth for one in answers],
        "people": [one.by for one in answers],
        "times": [one.written_at for one in answers],
        "days": [one.at.date() for one in answers],
        "notes": [one.note or None for one in answers],
    }


def _entries(trial: Trial) -> dict[str, list[str]]:
    kinds = {criterion.id: str(criterion.kind) for criterion in trial.criteria}
    return {
        "arms": [arm.id for arm in trial.arms],
        "entries": [arm.entry for arm in trial.arms],
        "kinds": [kinds[arm.entry] for arm in trial.arms],
    }


def _stated_flags(trial: Trial) -> dict[str, list[Any]]:
    """Return the flags that the trial file itself puts on a criterion."""
    flags = {criterion.id: [*criterion.flags] for criterion in trial.criteria}
    return {"flagged": list(flags), "flags": list(flags.values())}
