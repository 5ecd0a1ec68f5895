"""Strategies for one person's records, and a hospital of many such people."""

import json
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from properties.doses import doses
from properties.drugs import PRODUCTS, medications, products
from properties.events import admissions, conditions, contradictions, encounters, procedures
from properties.measurements import confirmed_screens, observations, trends
from properties.moments import Resource, maybe
from properties.records import allergies, immunizations, relatives, studies

KINDS = (
    observations, observations, observations, observations, confirmed_screens, confirmed_screens, trends, trends, conditions,
    admissions, contradictions, medications, medications, doses, doses, doses, procedures, encounters,
    immunizations, allergies, studies, relatives,
)  # fmt: skip
# of each hospital in which the leaves are compared
PEOPLE = 150
# the element that names the person, where it is not the subject
WHOSE = {
    "Immunization": "patient", "AllergyIntolerance": "patient", "FamilyMemberHistory": "patient", "ResearchSubject": "individual",
}  # fmt: skip
# in an id: the person, and the one before
ME, BEFORE = "@", "~"


@st.composite
def patients(draw: st.DrawFn) -> Resource:
    """A Patient; some without sex or birth date, dead, or replaced by the one before."""
    resource: Resource = {"resourceType": "Patient", "id": ME}
    maybe(draw, resource, "gender", st.sampled_from(["male", "female", "female", "other", "unknown"]), out_of=1)
    births = ["1960-06-15", "1960-06-16", "2008-06-15", "2008-06", "1961", "1980-02-29", "1990-01-01", None]
    born = draw(st.sampled_from(births))
    resource |= {"birthDate": born} if born else {}
    fate = draw(st.integers(1, 16))
    if fate == 1:
        resource["deceasedBoolean"] = True
    elif fate == 2:
        resource["link"] = [{"other": {"reference": f"Patient/{BEFORE}"}, "type": "replaced-by"}]
    return resource


@st.composite
def people(draw: st.DrawFn, as_of: date, each: int = 9) -> list[Resource]:
    """A person with up to so many records, or small groups of them, and the products that they name."""
    found: list[Resource] = [draw(patients())]
    for count in range(draw(st.integers(0, each))):
        drawn: list[dict[str, Any]] = draw(draw(st.sampled_from(KINDS))(as_of))
        found += named(drawn, f"{ME}r{count}")
    text = json.dumps(found)
    return found + [draw(products(ME + name)) for name in PRODUCTS if f"/{ME}{name}" in text]


def named(resources: Sequence[Resource], prefix: str) -> list[Resource]:
    """Give each of the resources an id and its person, and those that name the visit among them the id of that."""
    found = []
    for number, resource in enumerate(resources):
        about = {
            "id": f"{prefix}-{number}",
            WHOSE.get(resource["resourceType"], "subject"): {"reference": f"Patient/{ME}"},
        }
        if study := resource.get("study"):
            about["study"] = study | {"reference": study["reference"].format(f"{prefix}-0")}
        if visit := resource.get("encounter"):
            about["encounter"] = {"reference": visit["reference"].format(f"{prefix}-0")}
        found.append(resource | about)
    return found


def drawn(strategy: st.SearchStrategy[Any], count: int, seed: int = 0) -> list[Any]:
    """Draw so many different values, the same ones on every run.

    In rounds of ten: in longer ones Hypothesis mostly repeats and varies what it has drawn before.
    """
    found: dict[str, Any] = {}
    rounds = 0
    while len(found) < count:
        rounds += 1

        @seeded(1000 * seed + rounds)
        @settings(
            max_examples=10, database=None, deadline=None, phases=[Phase.generate], derandomize=False,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(strategy)
        def collect(value: Any) -> None:
            found.setdefault(json.dumps(value, sort_keys=True), value)

        collect()
        assert rounds < 1000, f"there are no {count} different values"
    return list(found.values())[:count]


@cache
def _hospital(as_of: date, count: int, seed: int) -> str:
    return json.dumps(together(drawn(people(as_of), count, seed)))


def together(persons: Sequence[list[Resource]]) -> list[Resource]:
    """Return the resources of some persons, numbered from 1."""
    texts = [json.dumps(person, ensure_ascii=False) for person in persons]
    # every fourth refers to nobody, so that no chain is longer than the five links that are followed
    before = [f"p{n - 1}" if n % 4 else "nobody" for n in range(1, len(texts) + 1)]
    numbered = [text.replace(ME, f"p{n}").replace(BEFORE, before[n - 1]) for n, text in enumerate(texts, start=1)]
    return [resource for text in numbered for resource in json.loads(text)]


def hospital(as_of: date, count: int, seed: int = 0) -> list[Resource]:
    """A hospital of so many people, each with data at the edges of windows and forms."""
    found: list[Resource] = json.loads(_hospital(as_of, count, seed))
    return found
