"""What is never generated is never compared: each shape must come up, and not by rare luck."""

from collections import Counter, defaultdict

from properties.moments import AS_OFS, Resource
from properties.resources import PEOPLE, hospital
from properties.shapes import SHAPES


def test_every_shape_is_among_the_data_that_are_compared() -> None:
    """In at least two people of the three hospitals of the leaves."""
    seen: Counter[str] = Counter()
    for seed, as_of in enumerate(AS_OFS):
        groups: dict[str, list[Resource]] = defaultdict(list)
        for resource in hospital(as_of, PEOPLE, seed):
            groups[_person(resource)].append(resource)
        seen.update(name for own in groups.values() for name, told in SHAPES.items() if told(own))
    assert {name: seen[name] for name in SHAPES if seen[name] < 2} == {}


def _person(resource: Resource) -> str:
    return str(resource["id"]).split("r")[0].split("med")[0]
