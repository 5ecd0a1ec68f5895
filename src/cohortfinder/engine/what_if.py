"""Other numbers in the criteria of a screening to how many candidates there would be, by the engine's own rules.

Each value makes a rule of its own, a variant, and the leaves of all variants are asked as those of a screening are:
one statement for those of one shape. Only those are asked whom no other criterion of an arm excludes, since nobody
else can become a candidate, and a rule only of those to whom a leaf with another number gives another truth.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from duckdb import DuckDBPyConnection

from cohortfinder.engine.asking import Asker
from cohortfinder.engine.duckdb_engine import DuckDBEngine
from cohortfinder.engine.grids import grid
from cohortfinder.engine.numbers import Value, Written, written_in
from cohortfinder.engine.plan import counts_apart
from cohortfinder.engine.questions import LIMITS, Setting
from cohortfinder.engine.rules import TrialPlan, plan_variants
from cohortfinder.model import Criterion, Quantity, Rule, Trial
from cohortfinder.terminology import Terminology

# how many questions are asked at a time: what their leaves rest on takes memory
_QUESTIONS = 500_000
# of which values to ask, given a number and those that patients have
Choose = Callable[[Written, Sequence[Decimal]], Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Curve:
    """A number of a criterion and the values with which it is asked, ascending, the one in force among them."""

    written: Written
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class _Variant:
    """A rule with another number: its name, the rule whose place it takes, and which value of which number it has."""

    name: str
    base: str
    number: int
    place: int
    rule: Rule


def variable(trial: Trial) -> tuple[Criterion, ...]:
    """Return the criteria whose numbers may be tried out: entry criteria decide who is listed at all."""
    entries = {arm.entry for arm in trial.arms}
    return tuple(one for one in trial.criteria if one.id not in entries and written_in(one))


def ask_variants(
    connection: DuckDBPyConnection,
    trial: Trial,
    terminology: Terminology,
    *,
    as_of: date,
    loaded: Mapping[str, bool],
    criteria: Collection[str] | None = None,
    choose: Choose | None = None,
    most: int | None = None,
) -> tuple[Curve, ...] | None:
    """Ask the variants of some criteria, or of all that are `variable`; the counts are in the table `variant_count`.

    It comes after `screen` on the same connection, whose tables it reads. `choose` says which values; by default
    those of `grid`. Where they are more than `most` questions, none is asked, and None is returned.
    """
    engine = DuckDBEngine.of(connection)
    chosen = [one for one in variable(trial) if criteria is None or one.id in criteria]
    curves = tuple(_curves(chosen, engine, terminology, as_of, choose or (lambda one, seen: grid(one.value, seen))))
    variants = [variant for number, curve in enumerate(curves) for variant in _variants(number, curve)]
    _note(engine, variants)
    sizes = engine.rows("verdicts/variant_size.sql.jinja")
    if most is not None and sum(size for _, size in sizes) > most:
        return None
    owners = {number: curve.written.criterion for number, curve in enumerate(curves)}
    plan = plan_variants(((one.name, owners[one.number], one.rule) for one in variants), Setting(terminology, loaded))
    asker = Asker(engine, plan, counted=counts_apart(trial))
    _note_leaves(engine, plan, variants, curves)

    def narrow() -> None:
        engine.run_template("verdicts/asked_changed.sql.jinja")

    for numbers in _portions(sizes):
        engine.run_template("verdicts/asked_variants.sql.jinja", as_of=as_of, numbers=numbers)
        asker.ask(plan.rules, narrow=narrow)
        engine.run_template("verdicts/count_variants.sql.jinja", numbers=numbers)
    return curves


def _portions(sizes: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Yield numbers that are asked together: as many as have not more questions than fit into memory."""
    portion: list[int] = []
    questions = 0
    for number, size in sizes:
        if portion and questions + size > _QUESTIONS:
            yield portion
            portion, questions = [], 0
        portion.append(number)
        questions += size
    if portion:
        yield portion


def _note(engine: DuckDBEngine, variants: Sequence[_Variant]) -> None:
    engine.run_template(
        "verdicts/variant.sql.jinja",
        names=[one.name for one in variants],
        bases=[one.base for one in variants],
        numbers=[one.number for one in variants],
        places=[one.place for one in variants],
    )
    engine.run_template("verdicts/swayed.sql.jinja")
    engine.run_template("verdicts/variant_count_table.sql.jinja")


def _note_leaves(engine: DuckDBEngine, plan: TrialPlan, variants: Sequence[_Variant], curves: Sequence[Curve]) -> None:
    """Note in which leaves each variant differs from the rule in force, and of which leaf each takes the place."""
    in_force = {
        (one.base, one.number): plan.rules[one.name].bare_numbers
        for one in variants
        if curves[one.number].values[one.place] == curves[one.number].written.value
    }
    pairs = [
        (one.name, own, theirs)
        for one in variants
        for own, theirs in zip(plan.rules[one.name].bare_numbers, in_force[one.base, one.number], strict=True)
        if own != theirs
    ]
    engine.run_template(
        "verdicts/variant_leaf.sql.jinja",
        names=[name for name, _, _ in pairs],
        numbers=[own for _, own, _ in pairs],
        in_force=[theirs for _, _, theirs in pairs],
    )


def _curves(
    criteria: Iterable[Criterion], engine: DuckDBEngine, terminology: Terminology, as_of: date, choose: Choose
) -> Iterator[Curve]:
    written = [one for criterion in criteria for one in written_in(criterion)]
    concepts = sorted({concept for one in written for concept in one.leaves[0].question.concepts})
    rows = engine.rows("results/seen_value.sql.jinja", concepts=concepts, as_of=as_of)
    seen = {concept: (unit, quantiles) for concept, unit, *quantiles in rows}
    for one in written:
        values = choose(one, tuple(_in_its_unit(one, seen, terminology)))
        sensible = tuple(value for value in values if value == one.value or _makes_sense(one, value))
        yield Curve(one, sensible)


def _in_its_unit(
    written: Written, seen: Mapping[str, tuple[str, Sequence[Decimal]]], terminology: Terminology
) -> Iterator[Decimal]:
    """Yield the quantiles of a result in the unit of its bound; a multiple of a limit has none, nor has a change."""
    leaf, value = written.leaves[0], written.value
    if leaf.kind != "observation" or not isinstance(value, Quantity) or value.unit in LIMITS:
        return
    concept: str = leaf.question.concepts[0]
    own, (unit, quantiles) = value.unit, seen.get(concept, ("", ()))
    for one in quantiles:
        converted = one if own in ("", unit) else terminology.convert(concept, one, unit, own)
        if converted is not None:
            yield converted


def _makes_sense(written: Written, value: Value) -> bool:
    try:
        written.rules(value)
    except ValueError:
        return False
    return True


def _variants(number: int, curve: Curve) -> Iterator[_Variant]:
    for place, value in enumerate(curve.values):
        for base, rule in curve.written.rules(value).items():
            yield _Variant(f"{base} {number} {place}", base, number, place, rule)


def variant_rows(connection: DuckDBPyConnection, trial: Trial) -> list[tuple[Any, ...]]:
    """Return for each number, arm and value: number, place, arm, eligible, possible, passes, unknown."""
    arms = [arm.id for arm in trial.arms]
    return DuckDBEngine.rows_of(connection, "verdicts/variant_rows.sql.jinja", arms=arms)
