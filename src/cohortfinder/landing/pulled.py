"""What a load says of the pull that brought it: from which server, and of each type what was asked and up to when."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PulledType:
    """One resource type of a pull.

    What changed since `since` (None: everything) was asked; the next pull goes on from `watermark`, the server's time.
    Where the pull of the type is not complete, both are those of the last complete one. `codes` are the codes that were
    asked for, None when the type was pulled whole. `swept`: it was made sure which resources are still there.
    """

    resource_type: str
    since: str | None
    watermark: str | None
    codes: tuple[str, ...] | None
    resources: int
    complete: bool
    swept: bool = False


@dataclass(frozen=True, slots=True)
class Pulled:
    """One pull. `patients` is the hash of the list of patients that it was about, empty for everyone.

    `token` names what was brought, so that it is not brought a second time after an interruption.
    """

    token: str
    server: str
    mode: str
    patients: str
    types: tuple[PulledType, ...]


def read_pulled(content: Mapping[str, Any] | None) -> Pulled | None:
    """Return what a manifest says. Raises KeyError or TypeError when it is damaged."""
    if content is None:
        return None
    types = [{**one, "codes": None if one["codes"] is None else tuple(one["codes"])} for one in content["types"]]
    return Pulled(**{**content, "types": tuple(PulledType(**one) for one in types)})
