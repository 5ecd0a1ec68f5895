"""A screening as FHIR R4: transactions that a server takes, the list as recruIT's screening list and the funnel.

Source of the screening list: github.com/miracum/recruit, fhir/ig/input/fsh/screeninglist.fsh and eligibility-funnel.fsh
(profiles), const.js (what its pages look for), FhirCohortTransactionBuilder and EligibilityBundleBuilder.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

import orjson
from fhir.resources.R4B import get_fhir_model_class

from cohortfinder.model import Arm
from cohortfinder.ranking.candidates import Candidate
from cohortfinder.report.screening import Screening
from cohortfinder.report.suppression import SMALLEST, ArmCounts, counts_to_share

Resource = dict[str, Any]

_RECRUIT = "https://miracum.github.io/recruit/fhir"
_RECRUIT_10 = "https://fhir.miracum.org/uc1"
# its pages look for the names of their own version: those up to 10, and those since its implementation guide
_LIST_CODES = (f"{_RECRUIT_10}/CodeSystem/screeningList", f"{_RECRUIT}/CodeSystem/screening-list-type")
_BELONGS_TO_STUDY = (
    f"{_RECRUIT_10}/StructureDefinition/belongsToStudy",
    f"{_RECRUIT}/StructureDefinition/screening-list-belongs-to-study",
)
_LIST_IDENTIFIER = f"{_RECRUIT_10}/NamingSystem/screeningListId"
_ACRONYM = f"{_RECRUIT_10}/StructureDefinition/studyAcronym"
_FUNNEL_POPULATIONS = f"{_RECRUIT}/CodeSystem/eligibility-funnel-population-type"
_ORDER = {"system": "http://terminology.hl7.org/CodeSystem/list-order", "code": "priority"}
_OURS = "urn:cohortfinder"
_NCT = re.compile(r"NCT\d{8}")


def screening_list(screening: Screening) -> bytes:
    """Return fhir/screening-list.json: the study, its ranked candidates as subjects and in groups, and their list.

    What people wrote on the server into the study or a subject stays as it is there.
    """
    study, subjects = _study(screening), _subjects(screening)
    study_at = _uuid("ResearchStudy", screening.trial.id)
    entries = [
        _created(study_at, study, study["identifier"][0]),
        *(_created(place, subject, subject["identifier"][0]) for place, subject in subjects),
        *(_replaced(_group(screening, arm)) for arm in screening.trial.arms),
        _replaced(_list(screening, [place for place, _ in subjects])),
    ]
    return _transaction(entries)


def funnel_report(screening: Screening, *, below: int = SMALLEST) -> bytes:
    """Return fhir/funnel.json: the attrition of each arm as a Measure and its MeasureReport, small numbers withheld."""
    counts = counts_to_share(screening, below=below)
    return _transaction([_replaced(_measure(screening, counts)), _replaced(_measure_report(screening, counts))])


def _study(screening: Screening) -> Resource:
    trial = screening.trial
    registry = "http://clinicaltrials.gov" if _NCT.fullmatch(trial.id) else f"{_OURS}:trial"
    return {
        "resourceType": "ResearchStudy",
        "extension": [{"url": _ACRONYM, "valueString": trial.id}],
        "identifier": [{"system": registry, "value": trial.id}],
        "title": trial.title,
        "status": "active",
        "arm": [{"name": arm.name or arm.id, "description": arm.id} for arm in trial.arms],
    }


def _subjects(screening: Screening) -> list[tuple[str, Resource]]:
    """Return a subject for each ranked patient, in the order of the list, with the place that others refer to."""
    arms: dict[str, list[str]] = {}
    for one in _ranked(screening):
        arms.setdefault(one.patient_id, []).append(one.arm)
    trial = screening.trial.id
    study = {"reference": _uuid("ResearchStudy", trial)}
    return [
        (
            _uuid("ResearchSubject", trial, patient),
            {
                "resourceType": "ResearchSubject",
                "identifier": [{"system": f"{_OURS}:subject", "value": _uuid5("ResearchSubject", trial, patient)}],
                "status": "candidate",
                "study": study,
                "individual": {"reference": f"Patient/{patient}"},
                "assignedArm": ", ".join(listed),
            },
        )
        for patient, listed in arms.items()
    ]


def _group(screening: Screening, arm: Arm) -> Resource:
    members = [one for one in _ranked(screening) if one.arm == arm.id]
    return {
        "resourceType": "Group",
        "identifier": [{"system": f"{_OURS}:group", "value": f"{screening.trial.id}/{arm.id}"}],
        "type": "person",
        "actual": True,
        "name": f"{screening.trial.id}, {arm.id}: candidates on {screening.as_of}",
        "quantity": len(members),
        **_filled(member=[{"entity": {"reference": f"Patient/{one.patient_id}"}} for one in members]),
    }


def _list(screening: Screening, places: Sequence[str]) -> Resource:
    study = {"reference": _uuid("ResearchStudy", screening.trial.id), "display": screening.trial.id}
    day = screening.as_of.isoformat()
    return {
        "resourceType": "List",
        "extension": [{"url": url, "valueReference": study} for url in _BELONGS_TO_STUDY],
        "identifier": [{"system": _LIST_IDENTIFIER, "value": screening.trial.id}],
        "status": "current",
        "mode": "working",
        "title": f"{screening.trial.id}: screening recommendations",
        "code": {"coding": [{"system": system, "code": "screening-recommendations"} for system in _LIST_CODES]},
        "date": day,
        "orderedBy": {"coding": [_ORDER]},
        **_filled(
            note=[{"text": warning} for warning in screening.warnings],
            entry=[{"item": {"reference": place}, "date": day} for place in places],
        ),
    }


def _measure(screening: Screening, counts: Sequence[ArmCounts]) -> Resource:
    return {
        "resourceType": "Measure",
        "url": _measure_url(screening),
        "identifier": [{"system": f"{_OURS}:measure", "value": screening.trial.id}],
        "title": f"{screening.trial.id}: whom each criterion leaves, in protocol order",
        "status": "active",
        **_filled(
            group=[
                {
                    "code": {"text": arm.arm.id},
                    "population": [
                        _population(kind, text, criteria={"language": "text/plain", "expression": text})
                        for kind, text, _ in _numbers(arm)
                    ],
                }
                for arm in counts
            ]
        ),
    }


def _measure_report(screening: Screening, counts: Sequence[ArmCounts]) -> Resource:
    day = screening.as_of.isoformat()
    return {
        "resourceType": "MeasureReport",
        "identifier": [{"system": f"{_OURS}:funnel", "value": screening.trial.id}],
        "status": "complete",
        "type": "summary",
        "measure": _measure_url(screening),
        "date": day,
        "period": {"start": day, "end": day},
        **_filled(
            group=[
                {
                    "code": {"text": arm.arm.id},
                    "population": [_population(kind, text, **_count(number)) for kind, text, number in _numbers(arm)],
                }
                for arm in counts
            ]
        ),
    }


def _numbers(arm: ArmCounts) -> Iterator[tuple[str, str, int | None]]:
    """Yield the living patients, and who is left after each criterion; None: withheld."""
    yield "total-population", "living patients", arm.living
    for step in arm.steps:
        yield "after-criterion", step.criterion_id, step.remaining


def _population(kind: str, text: str, **more: object) -> Resource:
    return {"code": {"coding": [{"system": _FUNNEL_POPULATIONS, "code": kind}], "text": text}, **more}


def _count(count: int | None) -> Mapping[str, object]:
    if count is not None:
        return {"count": count}
    reason = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    return {"_count": {"extension": [reason]}}


def _ranked(screening: Screening) -> Iterator[Candidate]:
    return (one for one in screening.candidates if one.rank is not None)


def _created(place: str, resource: Resource, identifier: Mapping[str, str]) -> Resource:
    """Return an entry that makes a resource where there is none of this identifier yet."""
    request = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": _search(identifier)}
    return {"fullUrl": place, "resource": _valid(resource), "request": request}


def _replaced(resource: Resource) -> Resource:
    """Return an entry that puts a resource in the place of the last run's."""
    kind, identifier = resource["resourceType"], resource["identifier"][0]
    request = {"method": "PUT", "url": f"{kind}?{_search(identifier)}"}
    return {"fullUrl": _uuid(kind, identifier["value"]), "resource": _valid(resource), "request": request}


def _search(identifier: Mapping[str, str]) -> str:
    # these have a meaning in a search and stand behind a backslash there
    value = re.sub(r"([\\,$|])", r"\\\1", identifier["value"])
    return f"identifier={quote(identifier['system'], safe=':/')}|{quote(value, safe='')}"


def _valid(resource: Resource) -> Resource:
    """Return a resource when it is one of FHIR R4 indeed; anything else is a bug of this module."""
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return resource


def _transaction(entries: list[Resource]) -> bytes:
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return orjson.dumps(bundle, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _filled(**lists: list[Resource]) -> dict[str, list[Resource]]:
    """Return the lists that hold something: FHIR has no empty ones."""
    return {name: items for name, items in lists.items() if items}


def _measure_url(screening: Screening) -> str:
    return f"{_OURS}:measure:{quote(screening.trial.id, safe='')}"


def _uuid(*names: str) -> str:
    """Return a name within the transaction, the same in every run."""
    return f"urn:uuid:{_uuid5(*names)}"


def _uuid5(*names: str) -> str:
    return str(uuid5(NAMESPACE_URL, orjson.dumps([_OURS, *names]).decode()))
