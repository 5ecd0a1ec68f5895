"""An evaluation that goes on from a kept one gives what asking everybody gives, over random histories of nights."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cohortfinder.engine.carry import Keeping
from cohortfinder.engine.screening import screen
from cohortfinder.jobs.load import load
from cohortfinder.model import Answer, Outcome, Trial
from cohortfinder.warehouse.connection import open_warehouse
from length import AT_LENGTH
from properties.codes import clinical_codings, observation_coding
from properties.engine import terminology
from properties.moments import AS_OFS
from properties.resources import drawn, hospital
from properties.trials import a_trial, rules, trial_of

PEOPLE, NIGHTS = 40, 6
ENTRY = {"any": [{"condition": ["dx_sle", "dx_heart_failure"], "ever": "yes"}, {"age": {"at_least": "18"}}]}
# criteria that come to fail, and cease to, while nothing but time passes
PCI, TRANSPLANT = {"procedure": "px_pci", "absence": "false"}, {"procedure": "px_organ_transplant", "absence": "false"}
SLOWLY = (
    ({"age": {"at_least": "18"}}, "inclusion"),
    ({**PCI, "within": "14 days"}, "exclusion"),
    ({"any": [{**PCI, "within": "28 days"}, {"not": {**TRANSPLANT, "within": "6 months"}}]}, "inclusion"),
    ({"all": [{**TRANSPLANT, "within": "1 year"}, {"not": {**PCI, "within": "3 weeks"}}]}, "exclusion"),
    # true, then unknown, and true again long after: the last is looked for only where nothing fails
    ({"any": [{"observation": "hemoglobin", "at_least": "60 g/L", "within": "2 months"}, {"not": {**TRANSPLANT, "within": "6 months"}}]}, "inclusion"),
)  # fmt: skip
TABLES = (
    "verdict", "entry_truth", "listing", "eligible_from", "verdict_turn", "status_turn", "stop", "told_turn", "turned_leaf",
    "open_verdict", "record", "concept_record", "unnamed_drug", "result_problem", "observed", "individual", "person", "gate",
    "everybody", "funnel_truth", "answered", "answer",
)  # fmt: skip
# what has no order
ROWS = {"open_verdict": "SELECT * REPLACE (list_sort(reasons) AS reasons) FROM open_verdict"}
# how many verdicts of patients who are asked again stand, how many changes were told before, and of how many rules it is another
# than it was whether something fails in their arms: it does now, it does no longer
SPARED = """
SELECT
    (SELECT count(*) FROM standing),
    (SELECT count(*) FROM told_before SEMI JOIN told_turn USING (patient_id, asked, day)),
    (SELECT count(*) FROM was_in_play SEMI JOIN standing USING (patient_id, asked) ANTI JOIN in_play USING (patient_id, asked)),
    (SELECT count(*) FROM in_play SEMI JOIN standing USING (patient_id, asked) ANTI JOIN was_in_play USING (patient_id, asked))
"""
LOADED = dict.fromkeys(("Patient", "Observation", "Condition", "Procedure", "MedicationStatement", "MedicationRequest", "Encounter", "MedicationAdministration", "MedicationDispense", "Immunization", "AllergyIntolerance", "ResearchSubject", "FamilyMemberHistory"), True)  # fmt: skip
Resource = dict[str, Any]
Said = tuple[Sequence[Answer], Sequence[Outcome]]


class Hospital:
    """A hospital whose records change from night to night; what is not chosen stays as it is."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = {self.key(one): one for one in hospital(AS_OFS[0], PEOPLE, seed)}
        others = hospital(AS_OFS[0], PEOPLE, seed + 50)
        self.instead = [one for one in others if one["resourceType"] != "Patient"]
        self.clock = datetime(2026, 7, 1, tzinfo=UTC)

    @staticmethod
    def key(resource: Resource) -> tuple[str, str]:
        """Return type and id."""
        return resource["resourceType"], resource["id"]

    def first_load(self) -> list[Resource]:
        """Return all records."""
        return [self._written(one) for one in self.now.values()]

    def night(self) -> list[Resource]:
        """Return a history Bundle of what a night changes: new and other records, deletions, now and then a Patient."""
        self.clock += timedelta(days=1)
        chosen = self.random.sample(sorted(self.now), 3)
        entries = [self._deletion(key) for key in chosen if key[0] != "Patient"]
        for key in chosen:
            if key[0] != "Patient":
                del self.now[key]
        changed = [self._other() for _ in range(self.random.randrange(4))]
        patients = [key for key in self.now if key[0] == "Patient"]
        if self.random.random() < 0.5:
            changed.append(self._other_patient(self.now[self.random.choice(patients)], patients))
        for one in changed:
            self.now[self.key(one)] = one
        entries += [self._entry(self._written(one)) for one in changed]
        return [{"resourceType": "Bundle", "type": "history", "entry": entries}]

    def _other(self) -> Resource:
        """Return a record of another hospital, under the id of one of ours or a new one."""
        given = self.random.choice(self.instead)
        ours = [own for kind, own in self.now if kind == given["resourceType"]]
        return given if not ours or self.random.random() < 0.5 else {**given, "id": self.random.choice(ours)}

    def _other_patient(self, patient: Resource, patients: list[tuple[str, str]]) -> Resource:
        changed = {name: value for name, value in patient.items() if name not in ("deceasedBoolean", "link")}
        match self.random.randrange(4):
            case 0:
                changed["deceasedBoolean"] = True
            case 1:
                other = self.random.choice(patients)[1]
                changed["link"] = [{"other": {"reference": f"Patient/{other}"}, "type": "replaced-by"}]
            case 2:
                changed["birthDate"] = "1990-07"
        return changed

    def _written(self, resource: Resource) -> Resource:
        return {**resource, "meta": {**resource.get("meta", {}), "lastUpdated": self.clock.isoformat()}}

    def _entry(self, resource: Resource) -> Resource:
        url = f"{resource['resourceType']}/{resource['id']}"
        return {"resource": resource, "request": {"method": "PUT", "url": url}, "response": {"status": "200"}}

    def _deletion(self, key: tuple[str, str]) -> Resource:
        told = {"status": "204", "lastModified": self.clock.isoformat()}
        return {"request": {"method": "DELETE", "url": "/".join(key)}, "response": told}


def told(
    store: Path, trial: Trial, as_of: date, said: Said, keeping: Keeping | None
) -> tuple[dict[str, list[str]], int | None, tuple[int, ...]]:
    """Screen a store, and return every table as sorted texts, how many people were asked again, and what they were spared."""
    answers, outcomes = said
    with open_warehouse(store, read_only=True) as connection:
        asked = screen(
            connection, trial, terminology(), as_of=as_of, loaded=LOADED, horizon_years=1, outlook_weeks=4,
            answers=answers, outcomes=outcomes, keeping=keeping,
        )  # fmt: skip
        rows = {
            name: sorted(map(repr, connection.execute(ROWS.get(name, f"FROM {name}")).fetchall())) for name in TABLES
        }
        spared = (0, 0, 0, 0) if asked is None else connection.execute(SPARED).fetchall()[0]
    return rows, asked, spared


def some_said(random: Random, as_of: date, earlier: Said) -> Said:
    """Return what people have said by now: a little more than before."""
    at = datetime(as_of.year, as_of.month, as_of.day, 9, tzinfo=UTC)
    patient = f"p{random.randrange(1, PEOPLE + 1)}"
    truth = random.choice([True, False, None])
    answer = Answer(patient, "A", f"C{random.randrange(2, 9)}", truth, "Dr. Li", at, at.isoformat(), "", 1)
    outcome = Outcome(f"p{random.randrange(1, PEOPLE + 1)}", "A", random.choice([True, False]), at, 2)
    answers, outcomes = earlier
    return (*answers, answer), ((*outcomes, outcome) if random.random() < 0.5 else outcomes)


@pytest.mark.parametrize("seed", range(4 if AT_LENGTH else 1))
def test_going_on_from_a_kept_evaluation_gives_what_asking_everybody_gives(seed: int, tmp_path: Path) -> None:
    trial, random, store = a_trial([ENTRY, *drawn(rules(depth=1), 9, seed)]), Random(seed), tmp_path / "store"
    records, as_of, said, took_up, asked = Hospital(seed), AS_OFS[0], ((), ()), None, []
    for night in range(NIGHTS):
        file = tmp_path / f"night{night}.ndjson"
        content = records.night() if night else records.first_load()
        file.write_text("".join(json.dumps(one) + "\n" for one in content), encoding="utf-8")
        load([file], store)
        if night > 1 and random.random() < 0.6:
            said = some_said(random, as_of, said)
        kept = store / f"night{night}.duckdb"
        whole, _, _ = told(store, trial, as_of, said, None)
        going_on, people, _ = told(store, trial, as_of, said, Keeping("same", took_up, kept))
        for name, rows in whole.items():
            assert going_on[name] == rows, f"{name} of night {night}, as of {as_of}"
        asked.append(people)
        took_up = kept
        as_of += timedelta(days=random.choice([0, 1, 1, 1, 2, 9, 30]))
    assert all(people is not None and people < PEOPLE for people in asked[1:]), "in some night all were asked"


def a_person(random: Random, number: int, as_of: date) -> list[Resource]:
    """Return a person whose few records leave the windows of `SLOWLY` one by one."""

    def before(days: int) -> str:
        return (as_of - timedelta(days=random.randrange(days))).isoformat()

    me = {"reference": f"Patient/p{number}"}
    found: list[Resource] = [
        {"resourceType": "Patient", "id": f"p{number}", "birthDate": "1980-01-01", "gender": "female"},
        {"resourceType": "Encounter", "id": f"p{number}e", "status": "finished", "subject": me, "period": {"start": before(20), "end": before(1)}},
        {"resourceType": "Observation", "id": f"p{number}o", "status": "final", "subject": me, "effectiveDateTime": before(40),
         "code": {"coding": [observation_coding("hemoglobin")]},
         "valueQuantity": {"value": 100, "unit": "g/L", "system": "http://unitsofmeasure.org", "code": "g/L"}},
    ]  # fmt: skip
    for concept in ("px_pci", "px_organ_transplant"):
        found += [
            {"resourceType": "Procedure", "id": f"p{number}{concept[3:6]}{count}", "status": "completed", "subject": me,
             "code": {"coding": [clinical_codings(concept)[-1]]}, "performedDateTime": before(60)}
            for count in range(random.randrange(3))
        ]  # fmt: skip
    return found


@pytest.mark.parametrize("seed", range(4 if AT_LENGTH else 1))
def test_where_nothing_but_time_passes_only_rules_whose_day_has_come_are_asked(seed: int, tmp_path: Path) -> None:
    words, sides = map(list, zip(*SLOWLY, strict=True))
    trial, random, store, as_of = trial_of(words, sides), Random(seed), tmp_path / "store", AS_OFS[0]
    records = [one for number in range(1, PEOPLE + 1) for one in a_person(random, number, as_of)]
    file, took_up, spared = tmp_path / "all.ndjson", None, []
    file.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    load([file], store)
    for night in range(NIGHTS):
        kept = store / f"night{night}.duckdb"
        whole, _, _ = told(store, trial, as_of, ((), ()), None)
        going_on, _, those = told(store, trial, as_of, ((), ()), Keeping("same", took_up, kept))
        for name, rows in whole.items():
            assert going_on[name] == rows, f"{name} of night {night}, as of {as_of}"
        spared.append(those)
        took_up = kept
        as_of += timedelta(days=random.choice([1, 1, 2, 3, 9]))
    assert all(map(sum, zip(*spared, strict=True))), f"nobody was spared something: {spared}"
