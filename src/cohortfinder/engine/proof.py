"""A trial, its mappings and the loaded types to hashes, by which two runs can tell what changed between them. Pure."""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from cohortfinder import __version__
from cohortfinder.engine.plan import DOSE_TABLES, MAPPING_TABLES, concepts_asked
from cohortfinder.engine.sources import sources_of
from cohortfinder.gates import Gates
from cohortfinder.model import Criterion, Trial, leaves_of, rules_of
from cohortfinder.resources import resource_dir
from cohortfinder.terminology import Terminology

# where something stands in its file changes nothing
_PLACES = re.compile(r"\b(line|position)=\d+")
# what belongs to single concepts
_OF_CONCEPTS = frozenset(file for file in MAPPING_TABLES.values() if file.startswith("concepts/") and "concept" in file)
_CODES = frozenset({"concepts/observation_codes.csv", "concepts/clinical_codes.csv", "concepts/text_terms.csv"})


def proof_of(trial: Trial, terminology: Terminology, mappings: Path, types: Mapping[str, bool]) -> dict[str, Any]:
    """Return hashes of each criterion, each concept and each other mapping file, and which types were complete."""
    shared = {*MAPPING_TABLES.values(), *DOSE_TABLES.values()} - _OF_CONCEPTS - _CODES
    return {
        "criteria": {one.id: _criterion(one, trial, terminology) for one in trial.criteria},
        "entries": {arm.id: arm.entry for arm in trial.arms},
        "concepts": {name: _concept(name, terminology) for name in concepts_asked(trial)},
        "mappings": {file: _mapping(file, terminology, mappings) for file in sorted(shared)},
        "types": dict(sorted(types.items())),
    }


def fingerprint(
    trial: Trial, terminology: Terminology, types: Mapping[str, bool], gates: Gates, weeks: int, *, everyone: bool
) -> str:
    """Hash all that an evaluation rests on beside the records of a patient and what people said of her.

    The program itself is a part of it: its version, its templates, and the version of DuckDB.
    """
    queries = sorted(resource_dir("queries").rglob("*.jinja"))
    texts = [path.read_text(encoding="utf-8") for path in queries]
    parts = (
        __version__, duckdb.__version__, _hash("".join(texts)), trial.sha256, _PLACES.sub("", repr(trial.criteria)),
        trial.time_zone, trial.arms, sorted(types.items()), weeks, everyone, terminology.sha256,
        sorted(terminology.inputs.items()), terminology.text_terms, terminology.expansions.sha256,
        sorted(map(sorted, gates.restricted)), sorted(map(sorted, gates.test_labels)),
    )  # fmt: skip
    return _hash(repr(parts))


def _criterion(criterion: Criterion, trial: Trial, terminology: Terminology) -> dict[str, Any]:
    leaves = [leaf for rule in rules_of(criterion) for leaf in leaves_of(rule)]
    read = {kind for leaf in leaves for sources in sources_of(leaf, terminology) for kind in sources.types}
    return {
        "sha256": _hash(_PLACES.sub("", repr(criterion))),
        "concepts": concepts_asked(trial, (criterion.id,)),
        "types": sorted(read),
    }


def _concept(name: str, terminology: Terminology) -> str:
    """Hash what a concept is, and what the site changes in its codes."""
    known = terminology.observation_concepts.get(name) or terminology.clinical_concepts.get(name)
    changes = [terminology.changes[file] for file in sorted(_CODES & terminology.changes.keys())]
    rows = [sorted(row for row in each if name in row) for one in changes for each in (one.removed, one.added)]
    return _hash(f"{known!r} {rows!r}")


def _mapping(file: str, terminology: Terminology, mappings: Path) -> str:
    return _hash((mappings / file).read_text(encoding="utf-8") + repr(terminology.changes.get(file)))


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
