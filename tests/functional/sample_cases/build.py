"""Write sample_bundles/ from the case files beside this program.

`python tests/functional/sample_cases/build.py` needs no clock and no randomness: the same case files
give the same bytes. `--out DIR` writes elsewhere.
"""

import argparse
import gzip
import json
import uuid
from pathlib import Path
from typing import Any

from bad import BAD
from expectation import expected, expected_changes, listed_arms
from ruamel.yaml import YAML
from shorthand import Json, expand, merge, plain

HERE = Path(__file__).resolve().parent
SERVER = "https://hospital.invalid/fhir/"
NAMESPACE = uuid.UUID("6f6f1d53-6f0d-5c56-9a0a-2b3f1f1d0a11")
CASE_FILES = [
    "age",
    "diagnosis",
    "laboratory",
    "renal",
    "serology",
    "lupus",
    "other_arms",
    "heart_lung",
    "pregnancy",
    "drugs",
    "events",
    "diseases",
    "exposures",
    "measures",
    "not_listed",
    "transport",
]
FORM_OF_FILE = {
    "laboratory": "laboratory.ndjson.gz",
    "other_arms": "other-arms.ndjson",
    "renal": "gz",
    "serology": "gz",
    "heart_lung": "gz",
    "pregnancy": "gz",
    "events": "gz",
    "diseases": "diseases.ndjson.gz",
    "exposures": "exposures.ndjson.gz",
    "measures": "measures.ndjson.gz",
}


def read(name: str) -> Any:
    """One YAML file beside this program, dates as text."""
    return plain(YAML(typ="safe", pure=True).load((HERE / f"{name}.yaml").read_text("utf-8")))


def cases() -> list[Json]:
    """All cases in the order of the files."""
    return [
        {"form": FORM_OF_FILE.get(name, "collection"), "arms": []} | case for name in CASE_FILES for case in read(name)
    ]


def shorthand_record(case: Json, base: Json) -> Json:
    """The record of a case by short name: baseline, arm, style, then the case's own changes."""
    record: Json = {}
    if not case.get("bare"):
        record |= base["common"]
        if case.get("gender", "female") != "male":
            record |= base["women"]
    style = case.get("style", "si")
    for arm in case["arms"]:
        for name, item in base["arms"][arm].items():
            record[f"dx_{arm.lower()}" if name == "dx" else name] = item
        if style in base["style_diagnoses"]:
            record[f"dx_{arm.lower()}"] = {"code": base["style_diagnoses"][style][arm]}
    if not case.get("bare"):
        for name, item in base["styles"][style].items():
            if name in record or name == "bp2":
                record[name] = merge(record.get(name, {}), item)
    for name in case.get("drop", []):
        del record[name]
    for name, item in case.get("change", {}).items():
        record[name] = merge(record.get(name, {}), item)
    return record


def completed(name: str, short: Json) -> Json:
    """Fill in what every Condition and Observation of the samples has."""
    if name.startswith("dx"):
        head = {"resourceType": "Condition", "clinicalStatus": "active", "verificationStatus": "confirmed"}
        if not short.get("undated"):
            head |= {"onsetDateTime": "2019-03-14", "recordedDate": "2019-04-02"}
        return expand(head | {key: item for key, item in short.items() if key != "undated"})
    if "resourceType" in short:
        return expand(short)
    filled: Json = {"resourceType": "Observation", "status": "final"} | short
    if "category" in short:
        system = "http://terminology.hl7.org/CodeSystem/observation-category"
        filled["category"] = [{"coding": [{"system": system, "code": short["category"]}]}]
    return expand(filled)


def patient(case: Json) -> Json:
    """The Patient resource; names are invented and say so."""
    given = {"male": "Bernd", "female": "Anna"}.get(case.get("gender", "female"), "Kim")
    family = "Test-" + "-".join(part.capitalize() for part in case["id"].split("-"))
    head: Json = {"resourceType": "Patient", "id": case["id"], "name": [{"family": family, "given": [given]}]}
    head |= {"gender": case.get("gender", "female"), "birthDate": case.get("birth", "1986-04-12")}
    return {key: item for key, item in (head | case.get("patient", {})).items() if item is not None}


def resources(case: Json, base: Json) -> list[Json]:
    """Patient and record with ids and references."""
    record = {name: completed(name, item) for name, item in shorthand_record(case, base).items()}
    ids = {name: item.get("id", f"{case['id']}-{name}".replace("_", "-")) for name, item in record.items()}
    addresses = {name: f"{item['resourceType']}/{ids[name]}" for name, item in record.items()}
    result = [patient(case)]
    for name, item in record.items():
        kind = item["resourceType"]
        head: Json = {"resourceType": kind, "id": addresses[name].partition("/")[2]}
        subject = {"Immunization": "patient", "AllergyIntolerance": "patient", "ResearchSubject": "individual"}
        if kind not in ("Medication", "ResearchStudy"):
            head[subject.get(kind, "subject")] = {"reference": f"Patient/{case['id']}"}
        result.append(head | resolved(item, addresses))
    return result


def resolved(value: Any, addresses: dict[str, str]) -> Any:
    """`@anc` becomes a reference to that resource of the record; one that the case dropped goes."""
    if isinstance(value, dict):
        return {key: resolved(item, addresses) for key, item in value.items()}
    if isinstance(value, list):
        dropped = {item for item in value if isinstance(item, str) and item[:1] == "@" and item[1:] not in addresses}
        return [resolved(item, addresses) for item in value if isinstance(item, dict) or item not in dropped]
    if isinstance(value, str) and value.startswith("@"):
        return {"reference": addresses[value[1:]]}
    return value


def with_uuids(value: Any, urns: dict[str, str]) -> Any:
    """Replace relative references by the urn:uuid addresses of a transaction."""
    if isinstance(value, dict):
        return {k: urns.get(v, v) if k == "reference" else with_uuids(v, urns) for k, v in value.items()}
    return [with_uuids(item, urns) for item in value] if isinstance(value, list) else value


def bundle(form: str, items: list[Json]) -> Json:
    """A Bundle of that type; a transaction or batch addresses its entries by urn:uuid."""
    addresses = [f"{item['resourceType']}/{item['id']}" for item in items]
    entries: list[Json] = []
    urns = {address: f"urn:uuid:{uuid.uuid5(NAMESPACE, address)}" for address in addresses}
    for address, item in zip(addresses, items, strict=True):
        if form in ("transaction", "batch"):
            request = {"method": "PUT", "url": address}
            entries.append({"fullUrl": urns[address], "resource": with_uuids(item, urns), "request": request})
        elif form == "searchset":
            entries.append({"fullUrl": SERVER + address, "resource": item, "search": {"mode": "match"}})
        else:
            entries.append({"fullUrl": SERVER + address, "resource": item})
    total = {"total": len(entries)} if form == "searchset" else {}
    return {"resourceType": "Bundle", "type": form, **total, "entry": entries}


def text_of(value: Json) -> str:
    """JSON text with its characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def bundle_text(value: Json) -> bytes:
    """A Bundle with one entry a line: small, and a changed result is one line of a diff."""
    head = text_of({key: item for key, item in value.items() if key != "entry"})
    entries = ",\n".join(text_of(entry) for entry in value["entry"])
    return f'{head[:-1]},"entry":[\n{entries}\n]}}\n'.encode()


def files(all_cases: list[Json]) -> dict[str, bytes]:
    """Every sample file by name."""
    base = read("baseline")
    result: dict[str, bytes] = {}
    lines: dict[str, list[str]] = {}
    for case in all_cases:
        form = case.get("form", "collection")
        items = resources(case, base)
        if form.endswith((".ndjson", ".ndjson.gz")):
            lines.setdefault(form, []).extend(text_of(item) + "\n" for item in items)
        elif form == "gz":
            result[f"{case['id']}.json.gz"] = packed(bundle_text(bundle("collection", items)))
        else:
            result[f"{case['id']}.json"] = bundle_text(bundle(form, items))
    for name, several in lines.items():
        content = "".join(several).encode()
        result[name] = packed(content) if name.endswith(".gz") else content
    return result


def packed(content: bytes) -> bytes:
    """Compressed without the time of day."""
    return gzip.compress(content, mtime=0)


def patient_table(all_cases: list[Json]) -> str:
    """The rows of the README."""
    rows = ["| patient | arms | why it is here |", "| --- | --- | --- |"]
    for case in all_cases:
        arms = ", ".join(listed_arms(case)) or "none"
        rows.append(f"| {case['id']} | {arms} | {case['why']} |")
    return "\n".join(rows)


def everything() -> dict[str, bytes]:
    """All files below sample_bundles/ by relative name."""
    all_cases = cases()
    result = files(all_cases)
    result["expected.csv"] = expected(all_cases)
    result["expected_changes.csv"] = expected_changes(all_cases)
    readme = (HERE / "readme.md").read_text("utf-8")
    result["README.md"] = readme.replace("{patients}", patient_table(all_cases)).encode()
    rows = "\n".join(f"| `{item.name}` | {item.what} | {item.outcome} |" for item in BAD)
    bad_readme = (HERE / "readme_bad.md").read_text("utf-8")
    result["bad/README.md"] = bad_readme.replace("{files}", rows).encode()
    return result | {f"bad/{item.name}": item.content for item in BAD}


def main() -> None:
    """Write every file."""
    parser = argparse.ArgumentParser(description="write the sample bundles")
    parser.add_argument("--out", type=Path, default=HERE.parents[2] / "sample_bundles")
    out = parser.parse_args().out
    for name, content in everything().items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)


if __name__ == "__main__":
    main()
