"""What every leaf kind shares: a frozen pydantic model that reads the words of a trial file, all scalars as text."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from cohortfinder.dates import back
from cohortfinder.model import Comparison, Duration, Quantity

_QUANTITY = re.compile(r"^\s*(?P<number>[-+]?\d+(?:\.\d+)?)\s*(?P<unit>\S.*?)?\s*$")
_TITRE = re.compile(r"^\s*1\s*:\s*(?P<titre>\d{1,9})\s*$")
_EXPONENT = re.compile(r"[eE][-+]?\d")
_DURATION = re.compile(r"^\s*(?P<count>\d+)\s+(?P<unit>day|week|month|year)s?\s*$")

# nothing in a patient's body is measured beyond, and no number of ours becomes inexact or too large for a database
_MOST_DIGITS = 15
_LONGEST = {"day": 55_000, "week": 7_800, "month": 1_800, "year": 150}


def parse_quantity(text: object) -> object:
    """Read "1.5 ULN", "30 mL/min", "80" or "1:80"; anything else raises ValueError with an example."""
    if isinstance(text, Quantity):
        return text
    if titre := _TITRE.match(str(text)):
        return Quantity(Decimal(titre["titre"]), "{titer}")
    found = _QUANTITY.match(str(text))
    if found is None:
        raise ValueError(
            f"{str(text)!r} is no quantity; write a number and a unit, for example '0.5 10*9/L' or '1.5 ULN'"
        )
    if len(found["number"].lstrip("+-").replace(".", "")) > _MOST_DIGITS:
        raise ValueError(f"'{found['number'][:_MOST_DIGITS]}...' has more than {_MOST_DIGITS} digits; write fewer")
    if _EXPONENT.match(found["unit"] or ""):
        raise ValueError(f"{str(text)!r} has an exponent; write the number out, as 1000 or 0.001")
    return Quantity(Decimal(found["number"]), found["unit"] or "")


def parse_duration(text: object) -> object:
    """Read "3 weeks", "1 month", "28 days"; anything else raises ValueError with an example."""
    if isinstance(text, Duration):
        return text
    found = _DURATION.match(str(text))
    if found is None:
        raise ValueError(f"{str(text)!r} is no span of time; write for example '3 weeks', '6 months' or '28 days'")
    if int(found["count"]) > _LONGEST[found["unit"]]:
        raise ValueError(f"{str(text)!r} is longer than a lifetime; write 'ever: yes' where everything counts")
    return Duration(int(found["count"]), f"{found['unit']}s")  # type: ignore[arg-type]


def parse_whole(value: object) -> object:
    """Read a whole number of at most four digits."""
    if re.fullmatch(r"\d{1,4}", str(value)) is None:
        raise ValueError(f"{str(value)[:20]!r} is no whole number from 0 to 9999")
    return int(str(value))


def parse_yes(value: object) -> object:
    """Read `yes`; a window word such as `ever` is either said or left away."""
    if value is True or str(value) == "yes":
        return True
    raise ValueError(f"{str(value)!r} is not possible here; write 'yes' or leave the line away")


def as_list(value: object) -> object:
    """Read one word as a list of one."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


QuantityText = Annotated[
    Quantity,
    BeforeValidator(parse_quantity),
    WithJsonSchema({"type": ["string", "number"], "examples": ["1.5 ULN", "30 mL/min"]}),
]
DurationText = Annotated[
    Duration,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\d+ (day|week|month|year)s?$", "examples": ["3 weeks"]}),
]
WholeNumber = Annotated[int, BeforeValidator(parse_whole), WithJsonSchema({"type": "integer", "minimum": 0})]
Yes = Annotated[Literal[True], BeforeValidator(parse_yes), WithJsonSchema({"const": "yes"})]
Concepts = Annotated[
    tuple[str, ...],
    BeforeValidator(as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Absence = Literal["unknown", "false"]


@dataclass(frozen=True, slots=True)
class Remedy:
    """How a new record makes the answer of a leaf another one.

    `after`: how long the new state must have lasted, or lain back, before it counts. `ends`: it is the end of what
    still goes on; what is over cannot be ended, and only time takes it away. `happens`: something has to happen to the
    patient first, where another remedy looks at her again or ends what there is.
    """

    after: Duration | None = None
    ends: bool = False
    happens: bool = False

    def counts_from(self, day: date) -> date:
        """Return the first day on which it counts when it is made on a day."""
        if self.after is None:
            return day
        # what ended on a day lies in a window as long as the window begins on or before that day
        begun = day + timedelta(days=1) if self.ends else day
        found = back(begun, self.after, -1)
        while back(found, self.after) < begun:  # months are of different length
            found += timedelta(days=1)
        return found


# a new record counts at once
AT_ONCE = Remedy()
HAPPENS = Remedy(happens=True)


class Question(BaseModel):
    """Base of the leaf kinds. `kind` is the word that opens the leaf in a trial file, `template` its SQL."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    kind: ClassVar[str]
    domain: ClassVar[Literal["observation", "clinical", "none"]] = "none"
    # whether silence can be an answer, so that `absence` means something
    hears_silence: ClassVar[bool] = True

    absence: Absence = "unknown"

    @property
    def concepts(self) -> tuple[str, ...]:
        """The concepts that the question names."""
        return ()

    def remedy(self, wanted: bool) -> Remedy | None:
        """Return how a new record makes the answer `wanted` where the records say the opposite; None: none does.

        What is open can always be settled by a record, so that this is not asked.
        """
        return None


class NumericQuestion(Question):
    """A question that compares a number: `at_least`, `at_most`, `above`, `below`, or `between: [low, high]`."""

    at_least: QuantityText | None = None
    at_most: QuantityText | None = None
    above: QuantityText | None = None
    below: QuantityText | None = None
    between: tuple[QuantityText, QuantityText] | None = None

    @property
    def comparison(self) -> Comparison | None:
        """The bounds, or None when the question compares no number."""
        if self.between is not None:
            return Comparison(lower=self.between[0], upper=self.between[1])
        lower, upper = self.at_least or self.above, self.at_most or self.below
        if lower is None and upper is None:
            return None
        return Comparison(lower, self.above is None, upper, self.below is None)

    def model_post_init(self, context: Any) -> None:
        """Refuse bounds that contradict each other."""
        if (
            (self.at_least and self.above)
            or (self.at_most and self.below)
            or (self.between and (self.at_least or self.above or self.at_most or self.below))
        ):
            raise ValueError("say each bound once: at_least or above, at_most or below, or between")
