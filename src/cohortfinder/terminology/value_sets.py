"""FHIR ValueSets of a site to rules about codes: compose or expansion, filters, exclusions, and sets inside sets."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from cohortfinder.errors import ConfigurationError
from cohortfinder.terminology.code_patterns import prefixes_of
from cohortfinder.terminology.code_rules import CodeRule, below
from cohortfinder.terminology.json_files import Element, elements, read_resource, text
from cohortfinder.terminology.tables import Complaints

SystemOf = Callable[[str], str | None]
Codes = Iterable[tuple[str, str]]


@dataclass(slots=True)
class ValueSets:
    """The ValueSets of a site by file, those beside them by their addresses, and what a server has expanded.

    `unsaid` collects the files whose filters our match rules cannot say, so that a server must expand them.
    """

    system_of: SystemOf
    expanded: Mapping[str, Codes]
    complaints: Complaints
    unsaid: dict[str, Path] = field(default_factory=dict)
    read: set[Path] = field(default_factory=set)
    _beside: dict[Path, dict[str, Path]] = field(default_factory=dict)

    def rules_of(self, path: Path, place: str) -> list[CodeRule]:
        """Return the rules of one file. Raises ConfigurationError when it holds no ValueSet."""
        return self._rules(path, place, ())

    def _rules(self, path: Path, place: str, trail: tuple[Path, ...]) -> list[CodeRule]:
        if path in trail:
            circle = " -> ".join(one.name for one in (*trail[trail.index(path) :], path))
            raise ConfigurationError(f"{place}: the ValueSets name each other in a circle ({circle}); cut it somewhere")
        resource = read_resource(path, "ValueSet", place)
        self.read.add(path)
        key = sha256(path.read_bytes()).hexdigest()
        if key in self.expanded:
            return [CodeRule(*code, "exact", True, (str(path), "expanded")) for code in self.expanded[key]]
        reader = _Reader(self, path, (*trail, path))
        rules = reader.read(resource)
        if reader.unsaid:
            self.unsaid[key] = path
        return rules

    def file_of(self, address: str, path: Path) -> Path | None:
        """Return the file beside `path` that has a ValueSet of this address."""
        folder = path.parent
        if folder not in self._beside:
            self._beside[folder] = dict(_addresses(folder))
        return self._beside[folder].get(address.partition("|")[0])


def _addresses(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.glob("*.json")):
        try:
            yield text(read_resource(path, "ValueSet", str(path)), "url"), path
        except ConfigurationError:
            continue  # a file that is no ValueSet may lie beside one; it is told where it is named


@dataclass(slots=True)
class _Reader:
    """Reads one ValueSet."""

    sets: ValueSets
    path: Path
    trail: tuple[Path, ...]
    unsaid: bool = False

    def read(self, resource: Element) -> list[CodeRule]:
        expansion, compose = resource.get("expansion"), resource.get("compose")
        if isinstance(expansion, dict):
            return self._expansion(expansion)
        if not isinstance(compose, dict) or not any(elements(compose, "include", "compose")):
            self.note("compose", "the ValueSet has neither an expansion nor a compose.include; add one")
            return []
        taken = self._union([self._part(part, at) for part, at in elements(compose, "include", "compose")])
        left = [rule for part, at in elements(compose, "exclude", "compose") for rule in self._excluded(part, at)]
        out = {rule.key for rule in left}
        return [*(rule for rule in taken if rule.key not in out), *(replace(rule, include=False) for rule in left)]

    def _union(self, parts: list[list[CodeRule]]) -> list[CodeRule]:
        """Put the includes together; what one leaves out another may hold."""
        held = [{(rule.system, rule.code) for rule in part if rule.include} for part in parts]
        broad = [{rule.system for rule in part if rule.include and rule.match != "exact"} for part in parts]
        rules = []
        for number, part in enumerate(parts):
            for rule in part:
                others = [place for place in range(len(parts)) if place != number]
                if not rule.include and any((rule.system, rule.code) in held[place] for place in others):
                    continue
                if not rule.include and any(rule.system in broad[place] for place in others):
                    self._unsaid(str(rule.place[1]), "what one include leaves out and another may hold")
                rules.append(rule)
        return rules

    def _excluded(self, part: Element, at: str) -> list[CodeRule]:
        rules = self._part(part, at)
        if not all(rule.include for rule in rules):
            self._unsaid(at, "an exclusion that leaves something out itself")
        return [rule for rule in rules if rule.include]

    def note(self, at: str, message: str) -> None:
        self.sets.complaints.note(f"{self.path}:{at}", message)

    def _expansion(self, expansion: Element) -> list[CodeRule]:
        rules = list(self._contained(expansion, "expansion"))
        total = expansion.get("total")
        if isinstance(total, int) and total > len(rules):
            self.note("expansion", f"the expansion has {len(rules)} of {total} codes; store it whole")
        if not rules:
            self.note("expansion", "the expansion holds no code; store it whole, or give a compose")
        return rules

    def _contained(self, parent: Element, path: str) -> Iterator[CodeRule]:
        for item, at in elements(parent, "contains", path):
            system = self._system(item, at) if item.get("code") else None
            if system and not item.get("abstract"):
                yield CodeRule(system, text(item, "code"), "exact", True, (str(self.path), at))
            yield from self._contained(item, at)

    def _part(self, part: Element, at: str) -> list[CodeRule]:
        """Return the rules of one include or exclude: its own codes, cut down to those of the sets that it names."""
        named = part.get("valueSet")
        sets = [self._named_set(str(name), at) for name in named] if isinstance(named, list) else []
        own = [self._own_codes(part, at)] if part.get("system") or not sets else []
        groups = [*own, *sets]
        return groups[0] if len(groups) == 1 else self._common(groups, at)

    def _common(self, groups: list[list[CodeRule]], at: str) -> list[CodeRule]:
        if any(rule.match != "exact" or not rule.include for group in groups for rule in group):
            self.note(
                at, "only sets of single codes can be cut down to what they share; list the codes, or expand them"
            )
            return []
        shared = set.intersection(*({rule.key for rule in group} for group in groups))
        return [rule for rule in groups[0] if rule.key in shared]

    def _named_set(self, address: str, at: str) -> list[CodeRule]:
        path = self.sets.file_of(address, self.path)
        if path is None:
            self.note(f"{at}.valueSet", f"no ValueSet {address!r} lies beside this file; store it in the same folder")
            return []
        return self.sets._rules(path, f"{self.path}:{at}.valueSet", self.trail)

    def _own_codes(self, part: Element, at: str) -> list[CodeRule]:
        system = self._system(part, at)
        if system is None:
            return []
        codes = [
            CodeRule(system, text(item, "code"), "exact", True, (str(self.path), place))
            for item, place in elements(part, "concept", at)
        ]
        filters = [self._filter(system, item, place) for item, place in elements(part, "filter", at)]
        if not codes and not filters:
            self.note(at, f"this takes the whole of {system}; list its codes or give a filter")
        if len(filters) > 1:
            self._unsaid(f"{at}.filter", "several filters that hold together")
        return [*codes, *(filters[0] if len(filters) == 1 else [])]

    def _filter(self, system: str, item: Element, at: str) -> list[CodeRule]:
        asked, operator, value = text(item, "property"), text(item, "op"), text(item, "value")
        read = _FILTERS.get((asked, operator)) if value else None
        found = read(system, value) if read else None
        if found is None:
            self._unsaid(at, f"the filter {asked!r} {operator} {value!r}")
            return []
        return [CodeRule(system, code, match, include, (str(self.path), at)) for code, match, include in found]

    def _unsaid(self, at: str, what: str) -> None:
        self.unsaid = True
        message = f"{what} cannot be said with match rules; run `cohortfinder expand`, or list the codes"
        self.sets.complaints.postpone(f"{self.path}:{at}", message)

    def _system(self, element: Element, at: str) -> str | None:
        given = text(element, "system")
        system = self.sets.system_of(given) if given else None
        if system is None:
            self.note(f"{at}.system", f"unknown code system {given!r}; add it to code_systems.csv of your mappings")
        return system


Found = list[tuple[str, str, bool]]


def _is_a(system: str, value: str) -> Found:
    return [(value, below(system), True)]


def _descendent_of(system: str, value: str) -> Found:
    """Return everything below a code: that without the code itself."""
    return [(value, below(system), True), (value, "exact", False)]


def _in(_: str, value: str) -> Found:
    return [(one.strip(), "exact", True) for one in value.split(",")]


def _regex(system: str, value: str) -> Found | None:
    found = prefixes_of(value)
    return None if found is None else [(code, match, True) for code, match in found]


_FILTERS: dict[tuple[str, str], Callable[[str, str], Found | None]] = {
    **dict.fromkeys((("concept", "is-a"), ("code", "is-a")), _is_a),
    **dict.fromkeys((("concept", "descendent-of"), ("code", "descendent-of")), _descendent_of),
    **dict.fromkeys((("concept", "="), ("code", "=")), lambda _, value: [(value, "exact", True)]),
    **dict.fromkeys((("concept", "in"), ("code", "in")), _in),
    **dict.fromkeys((("concept", "regex"), ("code", "regex")), _regex),
}
