"""What a terminology server said lies below the codes of the concepts, kept in a file for runs without a network."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cohortfinder.errors import ConfigurationError
from cohortfinder.site import SiteFile
from cohortfinder.terminology.csv_files import Row

FORMAT = 1
_STRENGTHS = ("definite", "possible", "supporting")
# A product is not below its ingredient in the hierarchy of RxNorm; see the names and the table of products.
_NO_HIERARCHY = frozenset({"http://www.nlm.nih.gov/research/umls/rxnorm"})


@dataclass(frozen=True, slots=True)
class Questions:
    """What a server is to be asked: the codes to descend from, and the ValueSets that only it can expand, by hash."""

    codes: tuple[tuple[str, str], ...] = ()
    value_sets: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expansions:
    """The kept answers; `below` has the codes under a code, itself left out; `problems` are failed questions."""

    file: str = ""
    sha256: str = ""
    expanded_at: str = ""
    server: Mapping[str, str] = field(default_factory=dict)
    below: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    value_sets: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    def missing(self, questions: Questions) -> int:
        """Count the questions that were never asked, because the concepts are newer."""
        asked = {*self.below, *(tuple(key.split("|", 1)) for key in self.problems)}
        return sum(code not in asked for code in questions.codes)


def read_expansions(file: SiteFile | None) -> Expansions:
    """Return what is kept; nothing when there is no file yet. Raises ConfigurationError when it is damaged."""
    if file is None or not file.path.exists():
        return Expansions()
    try:
        content = file.path.read_bytes()
        kept = json.loads(content)
        if kept["format"] != FORMAT or kept["sha256"] != content_hash(kept):
            raise ValueError("hash or format")
        return Expansions(
            str(file.path), sha256(content).hexdigest(), kept["expanded_at"], kept["server"],
            {(one["system"], one["code"]): frozenset(one["below"]) for one in kept["descendants"]},
            {one["sha256"]: tuple((s, c) for s, c in one["codes"]) for one in kept["value_sets"]},
            kept["problems"],
        )  # fmt: skip
    except OSError as error:
        raise ConfigurationError(f"{file.place}: {file.path} cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = "the kept expansions are damaged or were changed; write them again: cohortfinder expand"
        raise ConfigurationError(f"{file.path}: {message}") from error


def content_hash(kept: Mapping[str, Any]) -> str:
    """Return the hash of everything in the file but the hash itself."""
    rest = {key: value for key, value in kept.items() if key != "sha256"}
    return sha256(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def questions_of(rows: Sequence[Row], value_sets: Mapping[str, Path]) -> Questions:
    """Return what the concepts would ask a server."""
    codes = {(row["system"], row["code"]) for row in rows if row["match"] == "descendants"}
    return Questions(tuple(sorted(code for code in codes if code[0] not in _NO_HIERARCHY)), value_sets)


def expanded_rows(rows: Sequence[Row], expansions: Expansions) -> list[Row]:
    """Return rows for the codes below those of `rows`, each by its nearest ancestor that a concept names.

    Where two are as near, an exclusion wins, then the stronger one. A code with a row of its own keeps that.
    """
    by_concept: dict[str, list[Row]] = {}
    for row in rows:
        by_concept.setdefault(row["concept"], []).append(row)
    return [made for own in by_concept.values() for made in _expanded(own, expansions)] if expansions.below else []


def _expanded(own: Sequence[Row], expansions: Expansions) -> Iterator[Row]:
    written = {(row["system"], row["code"]) for row in own}
    over: dict[tuple[str, str], list[Row]] = {}
    for row in own:
        if row["match"] == "descendants":
            for code in expansions.below.get((row["system"], row["code"]), ()):
                over.setdefault((row["system"], code), []).append(row)
    for (system, code), ancestors in over.items():
        if (system, code) not in written:
            nearest = _decisive(_nearest(ancestors, expansions))
            cells = {**nearest.cells, "code": code, "match": "exact", "note": f"below {nearest['code']}"}
            yield Row(nearest.file, nearest.line, cells)


def _nearest(ancestors: Sequence[Row], expansions: Expansions) -> list[Row]:
    codes = {row["code"] for row in ancestors}
    return [row for row in ancestors if codes.isdisjoint(expansions.below[row["system"], row["code"]] - {row["code"]})]


def _decisive(rows: Sequence[Row]) -> Row:
    excluding = [row for row in rows if row["include"] == "no"]
    return excluding[0] if excluding else min(rows, key=lambda row: _STRENGTHS.index(row["strength"]))
