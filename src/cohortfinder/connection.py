"""How the FHIR server of a site is reached: what [fhir] of the configuration says, as one frozen value."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that nobody may see: its value, or the file that holds it. `place` is where it was named."""

    value: str | None = field(default=None, repr=False)
    file: Path | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class BearerAccess:
    """A token that somebody else renews."""

    token: Secret


Access = BearerAccess


@dataclass(frozen=True, slots=True)
class Connection:
    """The server by its base address, who asks, and how much at a time. Without `access` nobody says who asks."""

    url: str
    access: Access | None = None
    parallel: int = 4
    page_size: int = 200
    timeout_seconds: float = 120
