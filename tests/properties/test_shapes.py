"""What is never generated is never compared: each shape must come up, and not by rare luck."""

from collections import Counter

from properties.moments import AS_OFS, Resource
from properties.resources import hospital
from properties.shapes import SHAPES


def test_every_shape_is_generated_often_enough_to_matter() -> None:
    """In at least three of six hundred people."""
    resources = hospital(AS_OFS[0], 600)
    groups: dict[str, list[Resource]] = {}
    for resource in resources:
        groups.setdefault(_person(resource), []).append(resource)
    seen = Counter(name for own in groups.values() for name, told in SHAPES.items() if told(own))
    assert {name: seen[name] for name in SHAPES if seen[name] < 3} == {}


def _person(resource: Resource) -> str:
    return str(resource["id"]).split("r")[0].split("med")[0]
