"""A Patient resource as it landed to who that is, for those who have to call her: no more than that takes."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

# https://terminology.hl7.org/CodeSystem-v2-0203.html: medical record number
_RECORD_NUMBER = "MR"
# the first name that is of one of these uses; https://hl7.org/fhir/R4/valueset-name-use.html
_NAMES = ("official", "usual", None, "temp", "nickname", "anonymous", "maiden")
_BETWEEN = "; "


class Identity(NamedTuple):
    """Who a patient is, as far as she has to be found and called; a text is empty where the record does not say.

    `deceased` is a date or moment as it was sent, or "yes".
    """

    patient_id: str
    name: str
    birth_date: str
    sex: str
    mrn: str
    phone: str
    email: str
    deceased: str


def identity_of(resource: Mapping[str, Any]) -> Identity:
    """Return who a patient is; what the record has in another form than FHIR says is passed over."""
    return Identity(
        patient_id=_text(resource.get("id")),
        name=_name(resource),
        birth_date=_text(resource.get("birthDate")),
        sex=_text(resource.get("gender")),
        mrn=_BETWEEN.join(_numbers(resource)),
        phone=_BETWEEN.join(_contacts(resource, "phone")),
        email=_BETWEEN.join(_contacts(resource, "email")),
        deceased=_deceased(resource),
    )


def _name(resource: Mapping[str, Any]) -> str:
    by_use: dict[str | None, str] = {}
    for one in _objects(resource, "name"):
        by_use.setdefault(one.get("use"), _written(one))
    return next((by_use[use] for use in _NAMES if by_use.get(use)), "")


def _written(name: Mapping[str, Any]) -> str:
    """Return a name as it is to be shown, or family name first, as lists are sorted."""
    if text := _text(name.get("text")):
        return text
    given = " ".join(one for one in _items(name, "given") if isinstance(one, str) and one)
    return ", ".join(part for part in (_text(name.get("family")), given) if part)


def _numbers(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the record numbers; where none is called so, those of which nothing is said. No insurance, no passport."""
    known = [one for one in _objects(resource, "identifier") if one.get("use") != "old" and _text(one.get("value"))]
    own = [one for one in known if _RECORD_NUMBER in _codes(one)] or [one for one in known if not one.get("type")]
    return tuple(dict.fromkeys(_text(one.get("value")) for one in own))


def _codes(identifier: Mapping[str, Any]) -> frozenset[str]:
    kind = identifier.get("type")
    return frozenset(_text(one.get("code")) for one in _objects(kind if isinstance(kind, dict) else {}, "coding"))


def _contacts(resource: Mapping[str, Any], system: str) -> tuple[str, ...]:
    """Return the numbers or addresses of a kind, those to try first in front."""
    found = [one for one in _objects(resource, "telecom") if one.get("system") == system and one.get("use") != "old"]
    return tuple(dict.fromkeys(text for one in sorted(found, key=_rank) if (text := _text(one.get("value")))))


def _rank(contact: Mapping[str, Any]) -> float:
    rank = contact.get("rank")
    return rank if isinstance(rank, int | float) else float("inf")


def _deceased(resource: Mapping[str, Any]) -> str:
    return _text(resource.get("deceasedDateTime")) or ("yes" if resource.get("deceasedBoolean") is True else "")


def _objects(within: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    return (one for one in _items(within, name) if isinstance(one, dict))


def _items(within: Mapping[str, Any], name: str) -> list[Any]:
    found = within.get(name)
    return found if isinstance(found, list) else []


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
