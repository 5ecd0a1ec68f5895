"""What the examination of a server has found, as it is shown: nothing in it is about a single patient."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from cohortfinder.engine.sampling import Aspect, CodeSystem, Share
from cohortfinder.engine.sources import Lacking, ResultsAsked
from cohortfinder.fhir.findings import Finding, Severity, exit_status

SEVERITIES: Mapping[Severity, str] = {"error": "prevents a pull", "warning": "warning", "note": "note", "fine": "fine"}
_WEIGHT = {severity: weight for weight, severity in enumerate(SEVERITIES)}
# in the order in which somebody reads: whose, which code, when, how much
ASPECTS: Mapping[str, str] = {
    "patient": "Patient",
    "birth_date": "Date of birth",
    "sex": "Sex",
    "standard_code": "Standard code",
    "known_code": "Code of a concept",
    "medication_reference": "By reference",
    "date": "Date",
    "clinical_status": "Clinical status",
    "ucum_unit": "UCUM unit",
    "known_unit": "Known unit",
    "range": "Reference range",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the way to the data, and what was found there."""

    title: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Shares:
    """The sample in shares: what its resources have, in which code systems; `sizes` are in words."""

    aspects: tuple[Aspect, ...] = ()
    systems: tuple[CodeSystem, ...] = ()
    sizes: Mapping[str, str] = field(default_factory=dict)

    @property
    def types(self) -> tuple[str, ...]:
        """The types of which something is told."""
        return tuple(dict.fromkeys(one.resource_type for one in self.aspects))

    @property
    def names(self) -> tuple[str, ...]:
        """The aspects that are told of some type, in the order in which they are read."""
        told = {one.name for one in self.aspects}
        return tuple(name for name in ASPECTS if name in told)

    def share(self, resource_type: str, name: str) -> Share | None:
        """Return one share, None where it is not told."""
        found = (one.share for one in self.aspects if (one.resource_type, one.name) == (resource_type, name))
        return next(found, None)

    def systems_of(self, resource_type: str) -> tuple[CodeSystem, ...]:
        """Return the code systems of a type."""
        return tuple(one for one in self.systems if one.resource_type == resource_type)


@dataclass(frozen=True, slots=True)
class TrialOutlook:
    """A trial, how many of its criteria are computed, and those for which the server has no source, or no result."""

    trial: str
    title: str
    criteria: int
    computed: int
    lacking: tuple[Lacking, ...]
    without_results: tuple[ResultsAsked, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found, in the order in which it was looked at."""

    at: datetime
    server: str = ""
    software: str = ""
    fhir: str = ""
    sections: tuple[Section, ...] = ()
    shares: Shares = field(default_factory=Shares)
    trials: tuple[TrialOutlook, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding."""
        return tuple(finding for section in self.sections for finding in section.findings)

    @property
    def questions(self) -> tuple[str, ...]:
        """What to ask the team of the server for, what prevents a pull first."""
        weighty = sorted(self.findings, key=lambda one: _WEIGHT[one.severity])
        return tuple(dict.fromkeys(one.ask for one in weighty if one.ask))

    @property
    def exit_status(self) -> int:
        """0, 3 for warnings, or 69, 77, 78 for what prevents a pull."""
        return exit_status(self.findings)

    @property
    def verdict(self) -> str:
        """All of it in one sentence."""
        errors, warnings = self._count("error"), self._count("warning")
        told = f"{warnings} warning{'s' if warnings != 1 else ''}"
        if errors:
            return f"Nothing can be pulled yet: {errors} thing{'s' if errors != 1 else ''} to put right, {told}."
        return f"Pulling can work; {told}." if warnings else "Pulling can work; nothing is in its way."

    def record(self) -> dict[str, Any]:
        """Return everything as one object for programs; shares in percent or words, never as small counts."""
        return {
            "at": self.at.isoformat(timespec="seconds"),
            "server": self.server,
            "software": self.software,
            "fhir": self.fhir,
            "verdict": self.verdict,
            "sections": [asdict(section) for section in self.sections],
            "sample": [self._sampled(kind) for kind in self.shares.types],
            "trials": [asdict(trial) for trial in self.trials],
            "questions": self.questions,
            "exit_status": self.exit_status,
        }

    def _sampled(self, kind: str) -> dict[str, Any]:
        aspects = {one.name: _told(one.share) for one in self.shares.aspects if one.resource_type == kind}
        systems = {one.name: _told(one.share) for one in self.shares.systems_of(kind)}
        looked_at = self.shares.sizes.get(kind, "")
        return {"resource_type": kind, "looked_at": looked_at, "aspects": aspects, "code_systems": systems}

    def _count(self, severity: Severity) -> int:
        return sum(finding.severity == severity for finding in self.findings)


def _told(share: Share) -> dict[str, Any]:
    return {"percent": share.percent, "words": share.words}
