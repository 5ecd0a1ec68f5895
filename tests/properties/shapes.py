"""The shapes of data at which engines go wrong, told by looking at a hospital: each must be generated."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from properties.codes import CONFIRMED, observation_coding
from properties.moments import Resource
from reference.dates import Span, span_of
from reference.site import MEDICATION_TYPES, in_error, target_of

ZONE = "Asia/Shanghai"
Told = Callable[[list[Resource]], bool]


def _of(resources: Iterable[Resource], *types: str) -> Iterator[Resource]:
    return (resource for resource in resources if resource["resourceType"] in types)


def _about(resource: Resource) -> str:
    return str(resource.get("subject", {}).get("reference"))


def _result(resource: Resource, concept: str, role: str) -> bool:
    return observation_coding(concept, role) in resource.get("code", {}).get("coding", [])


def _pairs(resources: list[Resource]) -> Iterator[tuple[Resource, Span, Resource, Span]]:
    """Each positive screen with each negative confirming test of the same person and concept, and their days."""
    results = list(_of(resources, "Observation"))
    for concept in CONFIRMED:
        for screen in (r for r in results if _result(r, concept, "primary") and _says(r, "positive", "reactive")):
            for test in (r for r in results if _result(r, concept, "confirm") and _says(r, "negative")):
                days = span_of(screen.get("effectiveDateTime"), ZONE), span_of(test.get("effectiveDateTime"), ZONE)
                if _about(screen) == _about(test) and days[0] and days[1]:
                    yield screen, days[0], test, days[1]


def _says(resource: Resource, *words: str) -> bool:
    return str(resource.get("valueString", "")).lower() in words and resource["status"] == "final"


def _screened(told: Callable[[Span, Span], bool]) -> Told:
    return lambda resources: any(told(screen, test) for _, screen, _, test in _pairs(resources))


def _drugs(told: Callable[[Resource, dict[str, Resource]], bool]) -> Told:
    def shape(resources: list[Resource]) -> bool:
        products = {f"Medication/{product['id']}": product for product in _of(resources, "Medication")}
        return any(told(record, products) for record in _of(resources, *MEDICATION_TYPES))

    return shape


def _target(record: Resource) -> str:
    return str(record.get("medicationReference", {}).get("reference", ""))


def _product(record: Resource, products: dict[str, Resource]) -> Resource:
    contained = {f"#{inner['id']}": inner for inner in record.get("contained", [])}
    return contained.get(_target(record)) or products.get(target_of(record.get("medicationReference", {}))) or {}


def _visited(told: Callable[[Resource, Resource], bool]) -> Told:
    """Tell of a Condition without an onset and its visit, which is empty when it was never sent."""

    def shape(resources: list[Resource]) -> bool:
        visits = {f"Encounter/{visit['id']}": visit for visit in _of(resources, "Encounter")}
        return any(
            told(condition, visits.get(target_of(condition["encounter"]), {}))
            for condition in _of(resources, "Condition")
            if "encounter" in condition and not any(name.startswith("onset") for name in condition)
        )

    return shape


def _admitted(condition: Resource, visit: Resource) -> bool:
    codes = [c["code"] for category in condition.get("category", []) for c in category["coding"]]
    return visit.get("class", {}).get("code") in ("IMP", "EMER", "ACUTE", "NONAC") and "encounter-diagnosis" in codes


def _start(visit: Resource) -> Span | None:
    return span_of(visit.get("period", {}).get("start"), ZONE)


def _contested(same_day: bool) -> Told:
    def days(resources: list[Resource], verified: str) -> set[tuple[str, Any, date]]:
        found = set()
        for condition in _of(resources, "Condition"):
            recorded = span_of(condition.get("recordedDate"), ZONE)
            if recorded and condition.get("verificationStatus") == {"coding": [{"code": verified}]}:
                found.add((_about(condition), condition["code"]["coding"][0]["code"], recorded.lo))
        return found

    def shape(resources: list[Resource]) -> bool:
        firm, refuted = days(resources, "confirmed"), days(resources, "refuted")
        return any(
            one[:2] == other[:2] and (one[2] == other[2] if same_day else one[2] < other[2])
            for one in firm
            for other in refuted
        )

    return shape


SHAPES: dict[str, Told] = {
    "a confirming test newer than the positive screen": _screened(lambda screen, test: test.lo > screen.hi),
    "a confirming test older than the positive screen": _screened(lambda screen, test: test.hi < screen.lo),
    "a confirming test of the day of the screen": _screened(lambda screen, test: screen == test and screen.exact),
    "a confirming test of a month or year": _screened(lambda screen, test: not test.exact),
    "a screen of a month or year": _screened(lambda screen, test: not screen.exact),
    "a drug by a relative reference": _drugs(lambda r, all_: _target(r) in all_),
    "a drug by an absolute reference": _drugs(
        lambda r, all_: _target(r).startswith("https://") and bool(_product(r, all_))
    ),
    "a drug by a reference to a version": _drugs(
        lambda r, all_: "/_history/" in _target(r) and bool(_product(r, all_))
    ),
    "a drug by a contained product": _drugs(lambda r, all_: _target(r) == "#m"),
    "a drug by a product that was never sent": _drugs(lambda r, all_: "lost" in _target(r)),
    "a drug by the display of its reference": _drugs(
        lambda r, all_: list(r.get("medicationReference", {})) == ["display"]
    ),
    "a product of several ingredients": _drugs(lambda r, all_: len(_product(r, all_).get("ingredient", [])) > 1),
    "an ingredient that is not active": _drugs(
        lambda r, all_: any(part.get("isActive") is False for part in _product(r, all_).get("ingredient", []))
    ),
    "a product with a code and ingredients": _drugs(lambda r, all_: {"code", "ingredient"} <= set(_product(r, all_))),
    "an order not to give": _drugs(lambda r, all_: r.get("doNotPerform") is True),
    "an inpatient diagnosis dated by its visit": _visited(
        lambda condition, visit: _admitted(condition, visit) and _start(visit) is not None and not in_error(visit)
    ),
    "a visit of a month or year": _visited(
        lambda condition, visit: (
            _admitted(condition, visit) and (start := _start(visit)) is not None and not start.exact
        )
    ),
    "a visit without a date": _visited(lambda condition, visit: bool(visit) and "period" not in visit),
    "a visit entered in error": _visited(lambda condition, visit: in_error(visit)),
    "a visit that was never sent": _visited(lambda condition, visit: not visit),
    "an outpatient diagnosis": _visited(lambda condition, visit: visit.get("class", {}).get("code") in ("AMB", "VR")),
    "a diagnosis refuted later": _contested(same_day=False),
    "a diagnosis refuted on the day of its confirmation": _contested(same_day=True),
}
