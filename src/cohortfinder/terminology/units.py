"""Units: spellings to UCUM codes, and exact decimal factors between the codes of a concept."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from unicodedata import normalize

ANY_CONCEPT = "*"


@dataclass(frozen=True, slots=True)
class Conversion:
    """value in the target unit = value x factor + offset."""

    factor: Decimal
    offset: Decimal

    def forward(self, value: Decimal) -> Decimal:
        """Convert into the target unit."""
        return value * self.factor + self.offset

    def backward(self, value: Decimal) -> Decimal:
        """Convert back from the target unit, at the precision of the decimal context."""
        return (value - self.offset) / self.factor


@dataclass(frozen=True, slots=True)
class Units:
    """All conversions, by (concept, from_unit, to_unit), and all spellings."""

    conversions: Mapping[tuple[str, str, str], Conversion]
    aliases: Mapping[str, str]

    def code_of(self, spelling: str) -> str | None:
        """Return the UCUM code of a unit as it was sent, None when the spelling is not known."""
        return self.aliases.get(normalize("NFKC", spelling).strip())

    def convertible_to(self, concept: str, unit: str) -> frozenset[str]:
        """Return the units whose values can be converted to `unit`, itself included."""
        return frozenset({unit}) | {
            from_unit
            for owner, from_unit, to_unit in self.conversions
            if to_unit == unit and owner in (concept, ANY_CONCEPT)
        }

    def convert(self, concept: str, value: Decimal, from_unit: str, to_unit: str) -> Decimal | None:
        """Convert by one row of the table, forwards or backwards; None when there is none."""
        if from_unit == to_unit:
            return value
        if there := self._find(concept, from_unit, to_unit):
            return there.forward(value)
        if back := self._find(concept, to_unit, from_unit):
            return back.backward(value)
        return None

    def _find(self, concept: str, from_unit: str, to_unit: str) -> Conversion | None:
        own = self.conversions.get((concept, from_unit, to_unit))
        return own or self.conversions.get((ANY_CONCEPT, from_unit, to_unit))
