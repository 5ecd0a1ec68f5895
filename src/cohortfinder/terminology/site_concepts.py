"""The value sets and code files of a site to rows of the concept files: beside ours or instead of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from cohortfinder.site import ConceptFile
from cohortfinder.terminology.code_rules import CodeRule
from cohortfinder.terminology.concepts import CLINICAL_COLUMNS, OBSERVATION_COLUMNS
from cohortfinder.terminology.csv_files import Row, read_rows
from cohortfinder.terminology.tables import Complaints
from cohortfinder.terminology.value_sets import ValueSets


@dataclass(slots=True)
class SiteConcepts:
    """What a site says of the codes of concepts."""

    files: Sequence[ConceptFile]
    sets: ValueSets
    complaints: Complaints

    def check_names(self, known: Collection[str]) -> None:
        """Note a file for a concept that there is not."""
        for one in self.files:
            if one.concept not in known:
                hint = get_close_matches(one.concept, known, n=1)
                meant = f"; did you mean {hint[0]!r}?" if hint else ""
                message = f"unknown concept {one.concept!r}{meant}, or give it a row in concepts/ of your mappings"
                self.complaints.note(one.file.place, message)

    def clinical(self, rows: Sequence[Row], concepts: Mapping[str, str]) -> list[Row]:
        """Return the rows of clinical_codes.csv as they hold at the site; `concepts` are labels by name."""
        return self._changed(rows, concepts, CLINICAL_COLUMNS)

    def observation(self, rows: Sequence[Row], concepts: Mapping[str, str]) -> list[Row]:
        """Return the rows of observation_codes.csv as they hold at the site."""
        return self._changed(rows, concepts, OBSERVATION_COLUMNS)

    def _changed(self, rows: Sequence[Row], concepts: Mapping[str, str], columns: Sequence[str]) -> list[Row]:
        own = [one for one in self.files if one.concept in concepts]
        if not own:
            return list(rows)
        given = list(self._agreeing(row for one in own for row in self._rows(one, concepts[one.concept], columns)))
        replaced = {one.concept for one in own if one.way == "replace"}
        said = {_key(row) for row in given}
        kept = [row for row in rows if row["concept"] not in replaced and _key(row) not in said]
        return [*kept, *given]

    def _agreeing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield each row once; two that say different things of one code are noted."""
        known: dict[tuple[str, ...], Row] = {}
        for row in rows:
            first = known.setdefault((*_key(row), row.cells.get("match", "")), row)
            if first is row:
                yield row
            elif _meaning(first) != _meaning(row):
                message = f"code {row['code']!r} of {row['concept']} means something else in {first.file}:{first.line}"
                self.complaints.add(row, f"{message}; keep one of the two")

    def _rows(self, one: ConceptFile, label: str, columns: Sequence[str]) -> Iterator[Row]:
        if one.file.path.suffix == ".csv":
            yield from self._csv_rows(one, columns)
            return
        for rule in self.sets.rules_of(one.file.path, one.file.place):
            cells = self._observation_cells(rule) if columns == OBSERVATION_COLUMNS else _clinical_cells(rule, one.way)
            common = {"concept": one.concept, "system": rule.system, "code": rule.code, "label": label, "note": ""}
            yield Row(*rule.place, {**common, **cells, "source": one.file.path.name})

    def _csv_rows(self, one: ConceptFile, columns: Sequence[str]) -> Iterator[Row]:
        if one.way == "suggest":
            self.complaints.note(one.file.place, "a CSV has a strength in each row; name it under [site.add]")
            return
        for row in read_rows(one.file.path, columns):
            if row["concept"] != one.concept:
                self.complaints.add(row, f"this file is for {one.concept!r}; put other concepts into other files")
            yield row

    def _observation_cells(self, rule: CodeRule) -> dict[str, str]:
        if rule.match != "exact" or not rule.include:
            message = "an observation concept takes single codes; list them, or run `cohortfinder expand`"
            self.complaints.note(f"{rule.place[0]}:{rule.place[1]}", message)
        return {"role": "local"}


def _clinical_cells(rule: CodeRule, way: str) -> dict[str, str]:
    strength = "possible" if way == "suggest" else "definite"
    include = "yes" if rule.include else "no"
    return {"match": rule.match, "include": include, "strength": strength if rule.include else ""}


def _key(row: Row) -> tuple[str, ...]:
    return row["concept"], row["system"], row["code"]


def _meaning(row: Row) -> tuple[str, ...]:
    return tuple(row.cells.get(column, "") for column in ("match", "include", "strength", "role"))
