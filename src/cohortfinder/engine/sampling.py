"""Sampled resources to shares: what part of each type has a standard code, a unit, a date; never a single record."""

from collections.abc import Iterator
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from cohortfinder.engine.plan import MAPPING_TABLES
from cohortfinder.resources import resource_dir
from cohortfinder.sql.environment import Rendered, render
from cohortfinder.terminology import Terminology

# Counts below are not told, and neither is what would give them away.
# Source: CMS cell size suppression policy, https://resdac.org/articles/cms-cell-size-suppression-policy
SMALLEST = 11
_MAPS = ("map_code_system", "map_observation_code", "map_clinical_code", "map_unit_alias")


@dataclass(frozen=True, slots=True)
class Share:
    """How many of so many resources have something, as far as it may be told."""

    having: int
    total: int

    @property
    def percent(self) -> int | None:
        """The share in percent, None where a small count would be told by it."""
        if self.total == 0 or self._small:
            return None
        return round(100 * self.having / self.total)

    @property
    def words(self) -> str:
        """The share in words that tell no small count."""
        if self.total == 0:
            return "none to look at"
        if self.having in (0, self.total):
            return "none" if self.having == 0 else "all"
        if self.total < SMALLEST:
            return "some"
        if self.having < SMALLEST:
            return "few"
        return "nearly all" if self._small else f"{self.percent} %"

    @property
    def _small(self) -> bool:
        missing = self.total - self.having
        return 0 < self.having < SMALLEST or 0 < missing < SMALLEST


@dataclass(frozen=True, slots=True)
class Aspect:
    """What part of the resources of a type has something that criteria need of them."""

    resource_type: str
    name: str
    share: Share


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """What part of the resources of a type has a code of a system; `name` is its address where we know no other."""

    resource_type: str
    name: str
    known: bool
    share: Share


def prepare(connection: DuckDBPyConnection, terminology: Terminology) -> None:
    """Make the tables that the questions about a sample read, beside the typed ones."""
    mappings = resource_dir("mappings")
    for table in _MAPS:
        file = MAPPING_TABLES[table]
        change = terminology.changes.get(file)
        _run(connection, render("facts/map.sql.jinja", table=table, path=str(mappings / file), change=change))
    for template in ("quality/seen_code", "quality/unmapped_code", "doctor/sample_code"):
        _run(connection, render(f"{template}.sql.jinja"))


def aspects(connection: DuckDBPyConnection) -> tuple[Aspect, ...]:
    """Return the shares of the types of which there is something, in the order of the types' names."""
    rows = _run(connection, render("doctor/sample_aspect.sql.jinja")).fetchall()
    found = (Aspect(kind, name, Share(having, total)) for kind, name, having, total in rows if total)
    return tuple(sorted(found, key=lambda one: one.resource_type))


def code_systems(connection: DuckDBPyConnection, totals: dict[str, int]) -> tuple[CodeSystem, ...]:
    """Return which code systems are used, of each type that has some resources.

    One that is not known is named by its address only where many patients have it: an address may tell a person.
    """
    rows = _run(connection, render("doctor/sample_system.sql.jinja")).fetchall()
    return tuple(_systems(rows, totals))


def _systems(rows: list[tuple[str, str | None, str | None, int, int]], totals: dict[str, int]) -> Iterator[CodeSystem]:
    for kind, name, sent, resources, patients in rows:
        told = sent if sent and patients >= SMALLEST else "a system that is not known here"
        yield CodeSystem(kind, name or told, name is not None, Share(resources, totals[kind]))


def _run(connection: DuckDBPyConnection, query: Rendered) -> DuckDBPyConnection:
    return connection.execute(query.text, query.parameters)
