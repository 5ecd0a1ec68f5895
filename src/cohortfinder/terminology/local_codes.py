"""Translations to rows of the mapping files: a local code takes over the rows of the code that it stands for.

So that the question who matches whom has one answer, in SQL: a local code is a code of its concepts like any other,
and evidence shows it as it was sent.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cohortfinder.terminology.csv_files import Row
from cohortfinder.terminology.translations import Translation

_ICD = re.compile(r"[.\s†*!+]")
_STRENGTHS = ("definite", "possible", "supporting")
_KEY = ("concept", "system", "code")


@dataclass(slots=True)
class ClinicalIndex:
    """The rows of clinical_codes.csv by what they match."""

    icd_systems: frozenset[str]
    _exact: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    _prefixes: dict[tuple[str, str], list[Row]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row], icd_systems: frozenset[str]) -> "ClinicalIndex":
        """Return the index of some rows; text rows have no code."""
        index = cls(icd_systems)
        for row in rows:
            if row["match"] != "text":
                by_match = index._prefixes if row["match"] == "prefix" else index._exact
                key = (row["system"], index._normal(row["system"], row["code"]))
                by_match.setdefault(key, []).append(row)
        return index

    def best(self, system: str, code: str) -> list[Row]:
        """Return for each concept the rows that match a code most specifically."""
        found: dict[str, list[Row]] = {}
        for rows in self._from_the_most_specific(system, self._normal(system, code)):
            for concept in {row["concept"] for row in rows} - set(found):
                found[concept] = [row for row in rows if row["concept"] == concept]
        return [row for rows in found.values() for row in rows]

    def _from_the_most_specific(self, system: str, code: str) -> Iterator[list[Row]]:
        systems = [system, *self._parents(system)]
        yield from (self._exact.get((one, code), []) for one in systems)
        for length in range(len(code), 0, -1):
            yield from (self._prefixes.get((one, code[:length]), []) for one in systems)

    def _parents(self, system: str) -> list[str]:
        """Rows of ICD-10 hold for ICD-10-GM too."""
        return ["http://hl7.org/fhir/sid/icd-10"] if system.endswith("/icd-10-gm") else []

    def _normal(self, system: str, code: str) -> str:
        return _ICD.sub("", code).upper() if system in self.icd_systems else code.strip()


def clinical_rows(rows: Sequence[Row], translations: Sequence[Translation], icd: frozenset[str]) -> list[Row]:
    """Return the rows of clinical_codes.csv for the local codes; a row that a site wrote for one of them stays."""
    if not translations:
        return []
    index = ClinicalIndex.of(rows, icd)
    written = {row.key(_KEY) for row in rows}
    found: dict[tuple[str, ...], list[Row]] = {}
    for one in translations:
        for row in index.best(*one.target):
            key = (row["concept"], *one.source)
            # what is only possible keeps nothing out
            if key not in written and (row["include"] == "yes" or one.strength == "definite"):
                found.setdefault(key, []).append(_taken_over(row, one))
    return [_together(taken) for taken in found.values()]


def _taken_over(row: Row, one: Translation) -> Row:
    weaker = max(one.strength, row["strength"], key=_STRENGTHS.index) if row["strength"] else ""
    cells = {**row.cells, **_source_of(one), "match": "exact", "strength": weaker}
    return Row(one.row.file, one.row.line, cells)


def _together(rows: Sequence[Row]) -> Row:
    """Return what holds where a local code stands for several: the strongest, and possible where one keeps it out."""
    including = [row for row in rows if row["include"] == "yes"]
    if not including:
        return rows[0]
    strongest = min(including, key=lambda row: _STRENGTHS.index(row["strength"]))
    if len(including) == len(rows) or strongest["strength"] != "definite":
        return strongest
    return Row(strongest.file, strongest.line, {**strongest.cells, "strength": "possible"})


def observation_rows(rows: Sequence[Row], translations: Sequence[Translation]) -> list[Row]:
    """Return the rows of observation_codes.csv for the local codes; what is only possible never decides."""
    by_code = _by_code(rows, "code")
    return [
        Row(
            one.row.file,
            one.row.line,
            {**row.cells, **_source_of(one), "role": _role(row, one)},
        )
        for one in translations
        for row in by_code.get(one.target, [])
    ]


def _role(row: Row, one: Translation) -> str:
    return row["role"] if one.strength == "definite" else "weak"


def same_rows(rows: Sequence[Row], translations: Sequence[Translation], column: str = "code") -> list[Row]:
    """Return the rows of another file (doses, answers) for the local codes that mean exactly the same."""
    by_code = _by_code(rows, column)
    return [
        Row(one.row.file, one.row.line, {**row.cells, "system": one.source[0], column: one.source[1]})
        for one in translations
        if one.strength == "definite"
        for row in by_code.get(one.target, [])
    ]


def _source_of(one: Translation) -> dict[str, str]:
    return {"system": one.source[0], "code": one.source[1], "note": f"as {one.target[1]}", "source": "local code"}


def _by_code(rows: Sequence[Row], column: str) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["system"], row[column]), []).append(row)
    return found
