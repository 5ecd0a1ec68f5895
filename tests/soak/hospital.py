"""Who is in a hospital and who is still to come, out of FHIR files (NDJSON) of whatever size."""

import random
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

Resource = dict[str, Any]
# a patient, and the records of this patient
Chart = list[Resource]
# of each test, diagnosis and drug of somebody, only so many may change: all records would need ten times the memory
NEWEST = 2


@dataclass(frozen=True, slots=True)
class Hospital:
    """What is loaded on the first night (`files`), of it what may change (`here`), and those who come later, whole."""

    files: Path
    here: list[Chart]
    waiting: list[Chart]


def hospital(data: Path, files: Path, waiting: int, chance: random.Random) -> Hospital:
    """Copy the files of a folder into another one, without so many of the patients: they come later."""
    files.mkdir()
    with (data / "Patient.ndjson").open("rb") as lines:
        patients = [orjson.loads(line) for line in lines]
    later: dict[str, Chart] = {one["id"]: [] for one in chance.sample(patients, waiting)}
    newest: dict[str, dict[object, deque[Resource]]] = defaultdict(lambda: defaultdict(lambda: deque(maxlen=NEWEST)))
    for file in sorted(data.glob("*.ndjson")):
        with file.open("rb") as lines, (files / file.name).open("wb") as copy:
            for line in lines:
                resource = orjson.loads(line)
                owner = _owner(resource)
                if owner in later:
                    later[owner].append(resource)
                else:
                    copy.write(line)
                    newest[owner][_kind(resource)].append(resource)
    # what belongs to nobody, as a drug of the pharmacy, changes for nobody
    here = [_chart(patient, newest[patient["id"]]) for patient in patients if patient["id"] not in later]
    return Hospital(files, here, [sorted(chart, key=_patient_first) for chart in later.values()])


def _owner(resource: Resource) -> str:
    """Return the id of the patient of whom a record tells, empty where it tells of nobody."""
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    of = resource.get("subject") or resource.get("patient") or {}
    return str(of.get("reference", "")).removeprefix("Patient/")


def _kind(resource: Resource) -> tuple[str, str]:
    return resource["resourceType"], next(codes_of(resource), "")


def codes_of(resource: Resource) -> Iterator[str]:
    """Yield the codes of what was measured, found or ordered."""
    for name in ("code", "medicationCodeableConcept"):
        for coding in resource.get(name, {}).get("coding", ()):
            yield coding.get("code", "")


def _chart(patient: Resource, newest: dict[object, deque[Resource]]) -> Chart:
    records = [one for records in newest.values() for one in records]
    return [patient, *(one for one in records if one["resourceType"] != "Patient")]


def _patient_first(resource: Resource) -> bool:
    return bool(resource["resourceType"] != "Patient")
