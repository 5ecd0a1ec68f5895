"""A site's files for the tests of what is read from them."""

import json
from pathlib import Path
from typing import Any

import pytest

from cohortfinder.errors import ConfigurationError
from cohortfinder.resources import resource_dir
from cohortfinder.site import ConceptFile, Site, SiteFile
from cohortfinder.terminology import Terminology, load_terminology

SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def write(path: Path, content: Any) -> Path:
    """Write JSON, or a text as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def value_set(*include: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """A ValueSet with a compose of these includes."""
    exclude = rest.pop("exclude", [])
    compose = {"include": [*include], **({"exclude": exclude} if exclude else {})}
    return {"resourceType": "ValueSet", "status": "active", "compose": compose, **rest}


def codes(system: str, *given: str) -> dict[str, Any]:
    """An include of single codes."""
    return {"system": system, "concept": [{"code": code} for code in given]}


def filtered(system: str, op: str, value: str, *, of: str = "concept") -> dict[str, Any]:
    """An include by one filter."""
    return {"system": system, "filter": [{"property": of, "op": op, "value": value}]}


def site(*files: tuple[str, str, Path], **rest: Any) -> Site:
    """A site with files for concepts: (way, concept, path)."""
    own = tuple(ConceptFile(concept, way, SiteFile(path, "site.toml:3")) for way, concept, path in files)
    return Site(concepts=own, **rest)


def load(given: Site, *, asking: bool = False) -> Terminology:
    """Load the mappings that ship with a site's."""
    return load_terminology(resource_dir("mappings"), given, asking=asking)


def clinical(terminology: Terminology, concept: str) -> set[tuple[str, str, str]]:
    """Return code, match and strength of a concept; "-" for an exclusion."""
    found = terminology.clinical_concepts[concept].codes
    return {(one.code, one.match, one.strength if one.include else "-") for one in found}


def problems(given: Site, folder: Path) -> list[str]:
    """Return what is wrong with a site's files, without their folder."""
    with pytest.raises(ConfigurationError) as caught:
        load(given)
    return str(caught.value).replace(f"{folder}/", "").splitlines()
