"""What a chart may be asked to hold, or not to hold: the facts by which a rule is met, missed or left open."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from cohortfinder.dummy.numbers import Values

Sent = Literal["day", "month", "year", "nothing"]
Standing = Literal["firm", "unspecific", "doubtful", "against"]
BEGINNING = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Coding:
    """A code with its system, and the words beside it."""

    system: str
    code: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Born:
    """The days on which the patient may be born, the one that is wanted, and how much of it is sent."""

    first: date
    last: date
    wanted: date
    sent: Sent = "day"


@dataclass(frozen=True, slots=True)
class Gender:
    """The recorded gender; None for none."""

    gender: Literal["male", "female"] | None


@dataclass(frozen=True, slots=True)
class Result:
    """A result of a concept on a day. `wanted` is the number that is taken where it is allowed.

    `defect` makes it no usable value: no_value, no_unit, preliminary, equivocal, or a comparator ("<", ">") before it.
    """

    concept: str
    day: date
    values: Values
    wanted: Decimal | None = None
    role: str | None = None
    sent: Sent = "day"
    defect: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """Every usable result of a concept in these days has one of the values: none of them, where values is empty."""

    concept: str
    since: date
    until: date
    values: Values
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A diagnosis, drug, procedure, vaccine, allergy, disease of a relative, or part in a study; `end` None goes on.

    An `unspecific` one has a code that only suggests the concept. `form` is the type of a medication record, or
    "severe" of an allergy. A medication record that is `dosed` takes the dose that the chart asks for, where it asks
    for one; `amount` is a dose of its own, in mg a day.
    """

    kind: str
    concept: str
    coding: Coding
    start: date | None
    end: date | None = None
    standing: Standing = "firm"
    sent: Sent = "day"
    form: str = ""
    dosed: bool = True
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class NoRecord:
    """No record of a kind and concept lies in these days, or begins in them (`begins`); `firm`: only no firm one."""

    kind: str
    concept: str
    since: date
    until: date
    begins: bool = False
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Dose:
    """The dose, in mg a day of the reference drug, of every record of a concept that touches these days."""

    concept: str
    since: date
    until: date
    values: Values
    wanted: Decimal
    weekly: bool = False


Fact = Born | Gender | Result | Results | Record | NoRecord | Dose
Way = tuple[Fact, ...]
