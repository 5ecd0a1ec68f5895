"""FHIR files as one list of resources: the newest version of each, with references between entries resolved."""

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any


def read_folder(folder: Path) -> list[dict[str, Any]]:
    """Read the Bundles, resources and NDJSON files that stand directly in a folder."""
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for path in sorted(folder.iterdir()):
        for resource in _resources(path):
            key = (resource["resourceType"], resource["id"])
            if key not in newest or _version(resource) >= _version(newest[key]):
                newest[key] = resource
    return list(newest.values())


def _version(resource: dict[str, Any]) -> tuple[str, int]:
    meta = resource.get("meta", {})
    number = meta.get("versionId", "0")
    return meta.get("lastUpdated", ""), int(number) if number.isdigit() else 0


def _resources(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix == ".gz":
        text = gzip.decompress(path.read_bytes()).decode()
    elif path.suffix in (".json", ".ndjson"):
        text = path.read_text(encoding="utf-8")
    else:
        return
    for sent in text.splitlines() if ".ndjson" in path.suffixes else [text]:
        if sent.strip():
            yield from _entries(sent)


def _entries(sent: str) -> Iterator[dict[str, Any]]:
    whole = json.loads(sent, parse_float=Decimal)
    if whole["resourceType"] != "Bundle":
        yield whole
        return
    for entry in whole.get("entry", []):
        url, inner = entry.get("fullUrl", ""), entry.get("resource", {})
        if url.startswith("urn:uuid:") and "id" in inner:
            sent = sent.replace(f'"{url}"}}', f'"{inner["resourceType"]}/{inner["id"]}"}}')
            sent = sent.replace(f'"reference": "{url}"', f'"reference": "{inner["resourceType"]}/{inner["id"]}"')
            sent = sent.replace(f'"reference":"{url}"', f'"reference":"{inner["resourceType"]}/{inner["id"]}"')
    yield from (
        entry["resource"]
        for entry in json.loads(sent, parse_float=Decimal).get("entry", [])
        if "id" in entry.get("resource", {})
    )
