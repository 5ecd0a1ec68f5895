"""How a view multiplies its rows: a chain of unnested lists over one scan of the resources.

A union is an unnested list of branch numbers, and a list that does not apply in a branch gives one NULL: so
the file is read once and nothing is kept between. UNION ALL would read it twice, or keep it in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


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

    def sql(self) -> str:
        """Return the expressions of the SELECT list."""
        conditions = [f"({self.guard()})"] if self.guard else []
        if self.or_null:
            conditions.append(f"len({self.items}) > 0")
        found = [self._unnest(self.items, conditions, self.item)]
        if self.index_used:
            found.append(self._unnest(f"range(len({self.items}))", conditions, self.index))
        return ", ".join(found)

    @staticmethod
    def _unnest(items: str, conditions: list[str], name: str) -> str:
        if conditions:
            items = f"CASE WHEN {' AND '.join(conditions)} THEN {items} ELSE [NULL] END"
        return f"unnest({items}) AS {name}"


@dataclass
class Chain:
    """The stages in order; each may use the columns of those before."""

    stages: list[Stage] = field(default_factory=list)

    def add(self, stage: Stage) -> Stage:
        """Append a stage."""
        self.stages.append(stage)
        return stage

    def over(self, source: str) -> str:
        """Return the relation that applies all stages to a relation."""
        # The last stage decides first which of the earlier indexes are used.
        parts = [stage.sql() for stage in reversed(self.stages)]
        for part in reversed(parts):
            source = f"(SELECT *, {part} FROM {source})"
        return source
