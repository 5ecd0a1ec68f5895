"""How a view multiplies its rows: a chain of unnested lists over one scan of the resources.

A union is an unnested list of branch numbers, and a list that does not apply in a branch gives one NULL: so
the file is read once and nothing is kept between. UNION ALL would read it twice, or keep it in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from cohortfinder.views.schema import Shape

Relation = Callable[[str], str]


@dataclass
class Stage:
    """One unnested list: `item` and `index` are the names of its columns.

    `guard` tells in which rows the list applies at all; in the others, and with `or_null` in the rows where
    it is empty, there is one row of NULLs. The index is only made when it is used.
    """

    items: str
    item: str
    index: str
    guard: Callable[[], str] | None = None
    or_null: bool = False
    index_used: bool = False

    def present(self) -> str:
        """Return the SQL of whether a row is one of an item, not the row of NULLs."""
        self.index_used = True
        return f"{self.index} IS NOT NULL"

    def row_index(self) -> str:
        """Return the SQL of the item's index from 0."""
        self.index_used = True
        return f"CAST(coalesce({self.index}, 0) AS INTEGER)"

    def relation(self) -> Relation:
        """Return what makes the rows of this stage from a relation."""
        conditions = self._conditions()
        found = [f"unnest({_applied(self.items, conditions)}) AS {self.item}"]
        if self.index_used:
            found.append(f"unnest({_applied(f'range(len({self.items}))', conditions)}) AS {self.index}")
        return lambda source: f"(SELECT *, {', '.join(found)} FROM {source})"

    def _conditions(self) -> list[str]:
        conditions = [f"({self.guard()})"] if self.guard else []
        return [*conditions, f"len({self.items}) > 0"] if self.or_null else conditions


@dataclass
class JsonStage(Stage):
    """One unnested list of JSON objects: `raw` is the column of the text, `item` that of the fields that are read."""

    raw: str = ""
    shape: Shape = field(default_factory=Shape)

    def relation(self) -> Relation:
        """Return what makes the rows of this stage from a relation."""
        conditions = self._conditions()
        found = [f"unnest({_applied(self.items, conditions)}) AS {self.raw}"]
        if self.index_used:
            found.append(f"unnest({_applied(f'range(len({self.items}))', conditions)}) AS {self.index}")
        return lambda source: self._with_fields(f"(SELECT *, {', '.join(found)} FROM {source})")

    def _with_fields(self, source: str) -> str:
        return f"(SELECT *, json_transform({self.raw}, {self.shape.json_text()}) AS {self.item} FROM {source})"


@dataclass
class RepeatStage(JsonStage):
    """A list of JSON objects and of all that `children` finds below them, each before what is below it."""

    children: str = ""
    row: str = ""
    path: str = ""
    walk: str = ""

    def relation(self) -> Relation:
        """Return what makes the rows of this stage from a relation."""
        first = _applied(self.items, self._conditions())
        own = f"{self.raw}, {self.path}"
        below = f"UNION ALL SELECT * EXCLUDE ({own}), {self._step(self.children, self.path)} FROM {self.walk}"
        index = f", {self._numbered()} AS {self.index}" if self.index_used else ""

        def over(source: str) -> str:
            rows = f"(SELECT *, row_number() OVER () AS {self.row} FROM {source})"
            found = f"SELECT *, {self._step(first, '[]')} FROM {rows} {below if self.children else ''}"
            kept = f"SELECT * EXCLUDE ({self.row}, {self.path}){index} FROM {self.walk}"
            return self._with_fields(f"(WITH RECURSIVE {self.walk} AS ({found}) {kept})")

        return over

    def _step(self, items: str, above: str) -> str:
        """Return the items with their places in the tree: the place above, then the number among its children."""
        place = f"list_append(CAST({above} AS BIGINT[]), place)"
        places = f"list_transform(range(len({items})), lambda place: {place})"
        return f"unnest({items}) AS {self.raw}, unnest({places}) AS {self.path}"

    def _numbered(self) -> str:
        number = f"row_number() OVER (PARTITION BY {self.row} ORDER BY {self.path}) - 1"
        return f"CASE WHEN {self.raw} IS NOT NULL THEN {number} END"


def _applied(items: str, conditions: list[str]) -> str:
    return f"CASE WHEN {' AND '.join(conditions)} THEN {items} ELSE [NULL] END" if conditions else items


AnyStage = TypeVar("AnyStage", bound=Stage)


@dataclass
class Chain:
    """The stages in order; each may use the columns of those before."""

    stages: list[Stage] = field(default_factory=list)

    def add(self, stage: AnyStage) -> AnyStage:
        """Append a stage."""
        self.stages.append(stage)
        return stage

    def over(self, source: str) -> str:
        """Return the relation that applies all stages to a relation."""
        # The last stage decides first which of the earlier indexes are used.
        for relation in reversed([stage.relation() for stage in reversed(self.stages)]):
            source = relation(source)
        return source
