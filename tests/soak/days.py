"""The data of a series of days: patients who come, change, are merged with another one, or lose a record."""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import orjson

from soak.hospital import Chart, Hospital, Resource, codes_of

FIRST = date(2026, 11, 1)
# HbA1c, filtration rate and body mass index: what the trial asks for, so that its list is another one each day
DECIDING = {"4548-4", "33914-3", "39156-5"}
MAY_GO = ("Observation", "Condition", "MedicationRequest", "MedicationStatement")


@dataclass(frozen=True, slots=True)
class Pace:
    """How much happens from one night to the next: patients who come, results that come or change, deletions."""

    coming: int
    changing: int
    leaving: int


@dataclass(frozen=True, slots=True)
class Day:
    """The index date of a night, and the folder of what comes before it."""

    as_of: date
    files: Path

    @property
    def before(self) -> date:
        """The day on which it came."""
        return self.as_of - timedelta(days=1)


def days_of(folder: Path, hospital: Hospital, pace: Pace, count: int, chance: random.Random) -> list[Day]:
    """Write the files of a series of days; the same chance writes the same."""
    series = [Day(FIRST, hospital.files)]
    for number in range(1, count):
        day = Day(FIRST + timedelta(days=number), folder / f"day-{number:02}")
        day.files.mkdir()
        come = [hospital.waiting.pop() for _ in range(min(pace.coming, len(hospital.waiting)))]
        changed = [one for _ in range(pace.changing) if (one := _changed(chance, hospital.here, day))]
        gone = [url for _ in range(pace.leaving) if (url := _gone(chance, hospital.here))]
        hospital.here.extend(come)
        changed += _merged(chance, hospital.here, day) if number % 3 == 1 else []
        lines = [orjson.dumps(one) for one in (*(one for chart in come for one in chart), *changed)]
        (day.files / "came.ndjson").write_bytes(b"".join(line + b"\n" for line in lines))
        if gone:
            (day.files / "gone.json").write_bytes(orjson.dumps(_deletions(gone, day)))
        series.append(day)
    return series


def _changed(chance: random.Random, here: list[Chart], day: Day) -> Resource | None:
    """Let a further result of somebody come, or correct one, for good."""
    chart = chance.choice(here)
    results = [one for one in chart if "value" in one.get("valueQuantity", {})]
    deciding = [one for one in results if DECIDING.intersection(codes_of(one))]
    among = deciding if deciding and chance.random() < 0.5 else results
    if not among:
        return None
    one = chance.choice(among)
    if chance.random() < 0.5:
        one = {**one, "id": f"{one['id']}-{day.as_of:%d}", "valueQuantity": {**one["valueQuantity"]}}
        chart.append(one)
    one["valueQuantity"]["value"] = round(one["valueQuantity"]["value"] * chance.uniform(0.7, 1.4), 1)
    one["effectiveDateTime"] = str(day.before)
    return _stamped(one, day)


def _gone(chance: random.Random, here: list[Chart]) -> str | None:
    """Delete a record of somebody."""
    chart = chance.choice(here)
    records = [one for one in chart if one["resourceType"] in MAY_GO]
    if not records:
        return None
    one = chance.choice(records)
    chart.remove(one)
    return f"{one['resourceType']}/{one['id']}"


def _merged(chance: random.Random, here: list[Chart], day: Day) -> list[Resource]:
    """Let the record of somebody be replaced by that of another one."""
    one, other = chance.sample([chart for chart in here if "link" not in chart[0]], 2)
    one[0]["link"] = [{"type": "replaced-by", "other": {"reference": f"Patient/{other[0]['id']}"}}]
    return [_stamped(one[0], day)]


def _stamped(resource: Resource, day: Day) -> Resource:
    """Note when a record was changed."""
    resource["meta"] = {**resource.get("meta", {}), "lastUpdated": f"{day.before}T22:00:00Z"}
    return resource


def _deletions(urls: list[str], day: Day) -> Resource:
    """Return what a server tells of deletions; without their time they would not count."""
    response = {"status": "204", "lastModified": f"{day.before}T23:00:00Z"}
    entries = [{"request": {"method": "DELETE", "url": url}, "response": response} for url in urls]
    return {"resourceType": "Bundle", "type": "history", "entry": entries}
