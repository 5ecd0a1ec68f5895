"""The mapping files, read with nothing but the csv module."""

import csv
import re
import unicodedata
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from reference.texts import Texts, counts


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _key(system: str) -> str:
    return system.strip().rstrip("/").lower()


def plain(text: str) -> str:
    """Fold typographic variants of a unit or a result, keeping its case."""
    return unicodedata.normalize("NFKC", text).strip()


_DOSE_FILES = ("doses.csv", "dose_units.csv", "timings.csv", "routes.csv")


class Mappings:
    """Lookups over the rows of `mappings/`."""

    def __init__(self, folder: Path) -> None:
        systems = _rows(folder, "code_systems.csv")
        self._names = {_key(row["alias"]): row["name"] for row in systems}
        self._uris = {_key(row["alias"]): row["uri"] for row in systems}
        self.concepts = {r["concept"]: r for r in _rows(folder, "concepts/observation_concepts.csv")}
        self._observation_codes: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for row in _rows(folder, "concepts/observation_codes.csv"):
            held = self._observation_codes.setdefault((self.uri(row["system"]), row["code"]), [])
            held.append((row["concept"], row["role"]))
        self.clinical = {r["concept"]: r for r in _rows(folder, "concepts/clinical_concepts.csv")}
        self._clinical_codes: dict[str, list[dict[str, str]]] = {}
        for row in _rows(folder, "concepts/clinical_codes.csv"):
            self._clinical_codes.setdefault(row["concept"], []).append(row)
        self._aliases = {plain(r["alias"]): r["unit"] for r in _rows(folder, "unit_aliases.csv")}
        self._factors = {
            (r["concept"], r["from_unit"], r["to_unit"]): (Decimal(r["factor"]), Decimal(r["offset"] or 0))
            for r in _rows(folder, "units.csv")
        }
        self._ordinals = {(self.uri(r["system"]), r["code"]): r["polarity"] for r in _rows(folder, "ordinal_codes.csv")}
        answers = _rows(folder, "numeric_answers.csv") if (folder / "numeric_answers.csv").is_file() else []
        self._answers = {(r["concept"], self.uri(r["system"]), r["answer"]): Decimal(r["number"]) for r in answers}
        self.words = {r["word"]: r["polarity"] for r in _rows(folder, "ordinal_words.csv")}
        self.interpretations = {r["code"]: r for r in _rows(folder, "interpretations.csv")}
        self._assumed = _rows(folder, "reference_ranges.csv")
        self.remarks = _rows(folder, "remarks.csv") if (folder / "remarks.csv").is_file() else []
        self.derived = _rows(folder, "derived.csv") if (folder / "derived.csv").is_file() else []
        tests = _rows(folder, "concept_tests.csv") if (folder / "concept_tests.csv").is_file() else []
        self._tests = {(row["match"], row["name"]): row["test"] for row in tests}
        self._read_doses(folder)
        self._texts = Texts(folder)
        effects = _rows(folder, "concepts/drug_effects.csv") if (folder / "concepts/drug_effects.csv").is_file() else []
        self.effects = {r["concept"]: (int(r["effect_days"]), r["route"]) for r in effects}
        self.route_rows = _rows(folder, "routes.csv") if (folder / "routes.csv").is_file() else []
        self.lookback = {
            r["group"]: (int(r["prescreen_days"]), int(r["protocol_days"])) for r in _rows(folder, "lookback.csv")
        }

    def test_of(self, concept: str) -> str:
        """Return the test that brings the data on a concept."""
        group = ("group", self.concepts[concept]["group"]) if concept in self.concepts else ("group", "*")
        kind = ("domain", self.clinical[concept]["domain"]) if concept in self.clinical else group
        return next(self._tests[key] for key in (("concept", concept), kind, ("group", "*")) if key in self._tests)

    def _read_doses(self, folder: Path) -> None:
        read = {name: _rows(folder, name) if (folder / name).is_file() else [] for name in _DOSE_FILES}
        self.doses = read["doses.csv"]
        self.dose_units = {row["unit"]: row for row in read["dose_units.csv"]}
        timings = read["timings.csv"]
        self.timings = {(r["kind"], r["code"]): Fraction(r["times"]) / Fraction(r["days"]) for r in timings}
        self.routes = [(row["match"], row["code"], row["route"]) for row in read["routes.csv"]]

    def uri(self, system: str) -> str:
        """Return the canonical form of a code system, its own text when it is not known."""
        return self._uris.get(_key(system), system)

    def observation_concepts(self, system: str, code: str) -> list[tuple[str, str]]:
        """Return (concept, role) of a code of an Observation."""
        return self._observation_codes.get((self.uri(system), code.strip()), [])

    def ordinal(self, system: str, code: str) -> str | None:
        """Return the polarity of a coded value."""
        return self._ordinals.get((self.uri(system), code))

    def answer(self, concept: str, value: dict[str, Any] | str) -> Decimal | None:
        """Return the number that a coded or worded answer stands for, None for none or several."""
        codings = value.get("coding", []) if isinstance(value, dict) else []
        text = value.get("text", "") if isinstance(value, dict) else value
        asked = [(self.uri(coding.get("system", "")), coding.get("code", "")) for coding in codings]
        found = {self._answers.get((concept, *one)) for one in [*asked, ("text", text.strip().lower())]} - {None}
        return found.pop() if len(found) == 1 else None

    def unit(self, text: str) -> str:
        """Return the UCUM code of a unit as sent."""
        return self._aliases.get(plain(text), plain(text))

    def factor(self, concept: str, unit: str) -> tuple[Decimal, Decimal] | None:
        """Return factor and offset to the unit of the concept, None when there is no conversion."""
        target = self.concepts[concept]["unit"]
        if unit == target:
            return Decimal(1), Decimal(0)
        own = self._factors.get((concept, unit, target))
        return own or self._factors.get(("*", unit, target))

    def assumed(self, concept: str, sex: str | None) -> dict[str, str] | None:
        """Return the assumed range of a concept, the one of the sex before the one for all."""
        rows = {row["sex"]: row for row in self._assumed if row["concept"] == concept}
        return rows.get(sex or "") or rows.get("*")

    def clinical_strength(self, concept: str, system: str, code: str) -> str | None:
        """Return definite, possible, supporting or excluded by the most specific matching row, else None."""
        name = self._names.get(_key(system))
        if name is None:
            return None
        found: list[tuple[int, dict[str, str]]] = []
        for row in self._clinical_codes.get(concept, []):
            if row["match"] != "text":
                rank = _specificity(row, self._names.get(_key(row["system"]), ""), name, code)
                if rank is not None:
                    found.append((rank, row))
        best = [row for rank, row in found if rank == max(rank for rank, _ in found)]
        if any(row["include"] == "no" for row in best):
            return "excluded"
        strengths = [row["strength"] for row in best]
        return next((s for s in ("definite", "possible", "supporting") if s in strengths), None)

    def dose_rows(self, concept: str) -> list[dict[str, str]]:
        """Return the rows of the dose table whose code includes a record in the concept."""
        codes = {(r["system"], r["code"]) for r in self._clinical_codes.get(concept, []) if r["include"] == "yes"}
        return [row for row in self.doses if (row["system"], row["code"]) in codes]

    def route(self, text: str, *, coded: bool = False) -> str | None:
        """Return the route that a code or the longest word of a text means."""
        said = text.strip().lower()
        exact = next((route for match, code, route in self.routes if match == "code" and code == said), None)
        if coded:
            return exact
        words = [(len(code), route) for match, code, route in self.routes if match == "word" and code in said]
        words += [(len(said), exact)] if exact else []
        return max(words)[1] if words else None

    def text_strength(self, concept: str, said: str) -> str | None:
        """Return the strength of the text rules of a concept that occur in what was said."""
        rows = [r for r in self._clinical_codes.get(concept, []) if r["match"] == "text"]
        hits = {r["strength"] for r in rows if r["include"] == "yes" and r["code"].lower() in said.lower()}
        return next((strength for strength in ("definite", "possible") if strength in hits), None)

    def named(self, concept: str, codings: list[dict[str, Any]], said: str, *, drug: bool) -> bool:
        """Say whether a text names the concept where its codes leave room for it."""
        known = {self._names.get(_key(c.get("system", ""))) for c in codings if c.get("code")} - {None}
        room = counts(known, said) if drug else not known
        return room and concept in self._texts.concepts(said)


def _icd(code: str) -> str:
    code = re.sub(r"[.\s†*!+]", "", code).upper()
    code = re.sub(r"X\d{3,}$", "", code)
    return re.sub(r"^([A-Z]\d{2,})[GVAZLRB]$", r"\1", code)


def _specificity(row: dict[str, str], row_system: str, system: str, code: str) -> int | None:
    if row_system != system and (row_system, system) != ("ICD10", "ICD10GM"):
        return None
    own = row_system == system
    mine, theirs = (_icd(row["code"]), _icd(code)) if system.startswith("ICD") else (row["code"], code.strip())
    if row["match"] == "prefix":
        return 2 * len(mine) + own if theirs.startswith(mine) else None
    return 2000 + 2 * len(mine) + own if mine == theirs else None
