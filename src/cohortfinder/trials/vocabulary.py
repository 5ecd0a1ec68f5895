"""What the checks of a trial need to know of the terminology."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Protocol


class ObservationConcept(Protocol):
    """A row of mappings/concepts/observation_concepts.csv."""

    @property
    def value_kind(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def detection(self) -> str: ...


class Vocabulary(Protocol):
    """The concepts that a rule may name, and the units in which each can be compared."""

    @property
    def observation_concepts(self) -> Mapping[str, Any]: ...
    @property
    def clinical_concepts(self) -> Mapping[str, Any]: ...
    @property
    def doses(self) -> Mapping[str, Any]: ...

    def units_of(self, concept: str) -> Collection[str]:
        """Return the unit codes that the concept's values can be converted from."""

    def convert(self, concept: str, value: Decimal, from_unit: str, to_unit: str) -> Decimal | None:
        """Convert a value of the concept; None if impossible."""
