"""The frozen values that cross packages: a trial as it was written, and the values that its rules compare with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

Truth = bool | None
CriterionKind = Literal["inclusion", "exclusion"]
Certainty = Literal["exact", "proxy", "judgement"]
Status = Literal["eligible", "possible", "excluded"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit: a UCUM code, "ULN" or "LLN" (multiples of the reference range), or "" for none.

    A titre 1:80 is the number 80 with unit "{titer}".
    """

    value: Decimal
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of calendar time: 3 weeks are 21 days, 6 months are calendar months."""

    count: int
    unit: Literal["days", "weeks", "months", "years"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a number must be: each bound optional, `between: [45, 70]` is lower and upper, both included."""

    lower: Quantity | None = None
    lower_included: bool = True
    upper: Quantity | None = None
    upper_included: bool = True


@dataclass(frozen=True, slots=True)
class Leaf:
    """One question to the data.

    `id` is the criterion's id and the position in its rule ("I-RENAL.2"), unique within a trial.
    `question` is the leaf kind's own frozen model from `cohortfinder.criteria`, parameters already filled in.
    `adverse` is the truth that speaks against the patient here (False in an inclusion, True in an exclusion, turned by
    every `not` above): results that contradict each other at the same time are read as this.
    `lines` are the lines of its words, by their path ("at_least",) or ("observation", 1), for messages.
    """

    id: str
    kind: str
    question: Any
    adverse: bool
    line: int
    parameters: tuple[str, ...] = ()
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict, compare=False, repr=False)

    def line_of(self, *path: str | int) -> int:
        """Return the line of the deepest written part of a path, else the leaf's own."""
        parts = (path[:length] for length in range(len(path), 0, -1))
        return next((self.lines[part] for part in parts if part in self.lines), self.line)


@dataclass(frozen=True, slots=True)
class Combination:
    """`all`, `any`, `not` (one child) or `need` (at least `need` children true) over rules."""

    operator: Literal["all", "any", "not", "need"]
    children: tuple["Rule", ...]
    need: int | None = None


Rule = Leaf | Combination


@dataclass(frozen=True, slots=True)
class Reading:
    """A parameter with named values that a criterion uses: the value in force, and what a site may set instead."""

    parameter: str
    value: str | None
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One sentence of the protocol. `arms` is never empty: a criterion for all arms names each of them.

    `rule` is None when the trial file says `computed: no`. `position` is the place in protocol order, from 1,
    inclusion first. `by_arm` has the rule of those arms in which it is another one. `flags` stand on every verdict,
    `flag_rules` put a flag where their rule is true. `readings` are the choices that the site's parameters made in it.
    """

    id: str
    kind: CriterionKind
    text: str
    arms: tuple[str, ...]
    certainty: Certainty
    rule: Rule | None
    position: int
    line: int
    note: str = ""
    flags: tuple[str, ...] = ()
    flag_rules: Mapping[str, "Rule"] = field(default_factory=dict)
    by_arm: Mapping[str, "Rule"] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()

    def rule_in(self, arm: str) -> "Rule | None":
        """Return the rule that holds in an arm."""
        return self.by_arm.get(arm, self.rule)

    def asked_as(self, arm: str) -> str:
        """Return the name under which it is evaluated for an arm: its id, or id@arm where the arm has its own rule."""
        return f"{self.id}@{arm}" if arm in self.by_arm else self.id

    @property
    def computed(self) -> bool:
        """Whether a rule stands in the trial file."""
        return self.rule is not None


@dataclass(frozen=True, slots=True)
class Arm:
    """A cohort of the trial; `entry` is the id of the criterion that lists a patient in it."""

    id: str
    name: str
    entry: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number or word that a site may set: `value` is the one in force, None when it is left open.

    `choices` are the values that it may have, empty where any within its bounds is good.
    """

    name: str
    value: str | None
    default: str | None
    why: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Override:
    """A site's value of a parameter, and the place where it stands, for messages."""

    value: str
    place: str = "the configuration"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a site sets: `common` in every trial that declares the name, `by_trial` in one trial, which wins."""

    common: Mapping[str, Override] = field(default_factory=dict)
    by_trial: Mapping[str, Mapping[str, Override]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is expected of a criterion before anybody is known, as so many passes and fails (a Beta distribution)."""

    passes: float
    fails: float


@dataclass(frozen=True, slots=True)
class Recalibration:
    """When outcomes correct the score: from `at_least` of them on, with `weight` invented ones that confirm it."""

    weight: float
    at_least: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """How the chance to pass an unknown criterion is estimated; without declaration by its share among the known.

    `shrinkage` is how many patients the whole trial weighs in the share of an arm, `known_weight` how many answers the
    share of those whom the data settle weighs beside answers for those whom they do not. `criteria` have priors of
    their own, which a criterion for a person to judge needs to count at all.
    """

    declared: bool = False
    prior: Prior = Prior(1, 1)
    shrinkage: float = 0
    known_weight: float = 1
    criteria: Mapping[str, Prior] = field(default_factory=dict)
    recalibration: Recalibration | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial file, parsed and checked; `sha256` is the hash of its bytes, `flag_words` say its own flags.

    `other_readings` are the criteria as they would be with other values of the parameters that choose a reading, named
    by `with_reading`: they are checked like the others, and only the cases of the trial evaluate them.
    """

    id: str
    title: str
    time_zone: str
    arms: tuple[Arm, ...]
    criteria: tuple[Criterion, ...]
    parameters: tuple[Parameter, ...]
    sha256: str
    source: str = ""
    profile: Literal["prescreen", "protocol"] = "prescreen"
    notes: tuple[str, ...] = field(default_factory=tuple)
    flag_words: Mapping[str, str] = field(default_factory=dict)
    other_readings: tuple[Criterion, ...] = ()
    ranking: Ranking = field(default_factory=Ranking)

    def criteria_of(self, arm: str) -> tuple[Criterion, ...]:
        """Return the criteria that hold in `arm`, in protocol order."""
        return tuple(criterion for criterion in self.criteria if arm in criterion.arms)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says of a criterion as written, for one patient and arm; `truth` None is "not sure".

    `at` is in the time zone of the trial, `written_at` as it stands in the file, in whose `line` the answer is.
    """

    patient_id: str
    arm: str
    criterion_id: str
    truth: Truth
    by: str
    at: datetime
    written_at: str
    note: str
    line: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the screening of a patient for an arm ended; `passed` None: with nothing said of the criteria."""

    patient_id: str
    arm: str
    passed: Truth
    at: datetime
    line: int


@dataclass(frozen=True, slots=True)
class Answers:
    """What people have answered, the earliest first, from one file; `sha256` is the hash of its bytes."""

    source: str = ""
    sha256: str = ""
    answers: tuple[Answer, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    warnings: tuple[str, ...] = ()


def with_reading(criterion: str, values: Mapping[str, str]) -> str:
    """Return the id of a criterion as other values of parameters would have it: "I-SLE-TX with tx = literal"."""
    return f"{criterion} with {', '.join(f'{name} = {value}' for name, value in sorted(values.items()))}"


def rules_of(criterion: Criterion) -> tuple[Rule, ...]:
    """Return the rule of a criterion, where it has one, those of single arms, and those of its flags."""
    own = () if criterion.rule is None else (criterion.rule,)
    return (*own, *criterion.by_arm.values(), *criterion.flag_rules.values())


def leaves_of(rule: Rule) -> tuple[Leaf, ...]:
    """Return the leaves of a rule, left to right."""
    if isinstance(rule, Leaf):
        return (rule,)
    return tuple(leaf for child in rule.children for leaf in leaves_of(child))
