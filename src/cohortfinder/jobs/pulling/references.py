"""What records refer to, in what was spooled: Medications and studies by their ids, and patients that were merged."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from cohortfinder.landing.spool import spooled_lines

_LINK = re.compile(rb'"type"\s*:\s*"(replaced-by|replaces)"')


def referenced(files: Iterable[Path], kind: str) -> set[str]:
    """Return the ids of the resources of a type to which spooled records refer.

    Source: https://hl7.org/fhir/R4/references.html#literal (relative, absolute, with or without a version)
    """
    found = re.compile(rb'"reference"\s*:\s*"(?:[^"#]*/)?%s/([A-Za-z0-9.-]{1,64})(?:/_history/[^"]*)?"' % kind.encode())
    return {own_id.decode() for line in spooled_lines(files) for own_id in found.findall(line)}


def merged(files: Iterable[Path]) -> frozenset[tuple[str, str]]:
    """Return which patient records are replaced by which, as spooled ones say, from either side.

    Source: https://hl7.org/fhir/R4/patient.html#merging
    """
    lines = (line for line in spooled_lines(files) if _LINK.search(line))
    return frozenset(pair for line in lines for patient in _patients(orjson.loads(line)) for pair in _links(patient))


def _patients(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if content.get("resourceType") == "Bundle":
        content_entries = content.get("entry") or []
        yield from (
            one["resource"] for one in content_entries if one.get("resource", {}).get("resourceType") == "Patient"
        )
    elif content.get("resourceType") == "Patient":
        yield content


def _links(patient: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for link in patient.get("link") or []:
        other = str((link.get("other") or {}).get("reference") or "").partition("/_history/")[0].rpartition("/")[2]
        if other and link.get("type") == "replaced-by":
            yield str(patient.get("id")), other
        elif other and link.get("type") == "replaces":
            yield other, str(patient.get("id"))
