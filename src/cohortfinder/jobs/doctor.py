"""The job `doctor`: everything between this machine and the data of a FHIR server, looked at in order."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain

from cohortfinder.connection import Access, BasicAccess, BearerAccess, Connection, OAuthAccess
from cohortfinder.engine.sources import types_of
from cohortfinder.errors import CohortFinderError, ConfigurationError
from cohortfinder.fhir.capability import Capability
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.findings import CONFIGURATION, Finding, fine, prevented, prevents
from cohortfinder.fhir.login_probes import login_findings
from cohortfinder.fhir.network_probes import network_findings
from cohortfinder.fhir.quirks import quirk_findings
from cohortfinder.fhir.result_probes import code_parameter, has_results
from cohortfinder.fhir.route import route_to
from cohortfinder.fhir.samples import Samples, access_findings, take_samples
from cohortfinder.fhir.search_probes import Probe, search_findings
from cohortfinder.fhir.server_probes import ask_metadata, capability_of, metadata_findings, support_findings
from cohortfinder.jobs.doctor_data import examine
from cohortfinder.jobs.doctor_gates import gate_findings
from cohortfinder.jobs.doctor_results import result_findings, results_found
from cohortfinder.jobs.doctor_trials import outlook, trial_findings
from cohortfinder.jobs.screen import read_terminology, read_trial
from cohortfinder.model import Trial
from cohortfinder.report.diagnosis import Diagnosis, Section, Shares, TrialOutlook
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology
from cohortfinder.trials.library import shipped_trials

SAMPLE = 50
# in which the server must answer a question
SECONDS = 30
CONFIGURATION_STEP = "Configuration"
Log = Callable[[str], None]


def misconfigured(error: ConfigurationError, now: datetime) -> Diagnosis:
    """Return the diagnosis of a configuration that cannot be read: each of its errors, and nothing else was tried."""
    return Diagnosis(now, sections=(Section(CONFIGURATION_STEP, tuple(_problems(error))),))


def doctor(
    settings: Settings, *, now: Callable[[], datetime], sample_size: int = SAMPLE, log: Log = lambda _: None
) -> Diagnosis:
    """Look at everything between this machine and the data of the configured server.

    What prevents a pull ends the examination, for what comes after it cannot be seen.
    """
    sections: list[Section] = []
    with closing(Examination(settings, now, sample_size)) as examination:
        for step in examination.steps():
            log(f"looking at {step.title[0].lower()}{step.title[1:]}")
            sections.append(Section(step.title, tuple(_looked(step))))
            if prevented(sections[-1].findings) and not (step.title == CONFIGURATION_STEP and examination.can_go_on):
                break
        return examination.diagnosis(sections)


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the way, and how it is looked at."""

    title: str
    look: Callable[[], Iterable[Finding]]


def _looked(step: Step) -> Iterator[Finding]:
    """Yield what a step finds; a file that it needs and that cannot be read is a finding as well."""
    try:
        yield from step.look()
    except ConfigurationError as error:
        yield from _problems(error)


class Examination:
    """What the steps have found out so far; each rests on those before it."""

    def __init__(self, settings: Settings, now: Callable[[], datetime], sample_size: int) -> None:
        self._settings, self._now, self._size = settings, now, sample_size
        self._terminology: Terminology | None = None
        self._trials: list[Trial] = []
        self._client: FhirClient | None = None
        self._open = ExitStack()
        self._capability = Capability()
        self._samples: Samples | None = None
        self._shares = Shares()
        self._outlooks: tuple[TrialOutlook, ...] = ()

    def steps(self) -> tuple[Step, ...]:
        """Return the way from this machine to the data, in order."""
        return (
            Step(CONFIGURATION_STEP, self._configuration),
            Step("The way to the server", self._way),
            Step("The server", self._server),
            Step("Who we are", self._login),
            Step("What may be read", self._access),
            Step("How it searches", self._searching),
            Step("What the data are like", self._data),
            Step("What it means for the trials", self._meaning),
        )

    @property
    def can_go_on(self) -> bool:
        """Whether the configuration tells enough to look at the server: one wrong trial of several is no obstacle."""
        return self._client is not None and bool(self._trials)

    def diagnosis(self, sections: Iterable[Section]) -> Diagnosis:
        """Return what was found."""
        return Diagnosis(
            at=self._now(),
            server=self._client.name if self._client else "",
            software=self._capability.name,
            fhir=self._capability.fhir_version,
            sections=tuple(sections),
            shares=self._shares,
            trials=self._outlooks,
        )

    def close(self) -> None:
        """End the connections."""
        self._open.close()

    def _configuration(self) -> Iterator[Finding]:
        try:
            self._terminology = read_terminology(self._settings)
        except ConfigurationError as error:
            yield from _problems(error)
        else:
            yield from self._read_trials(self._terminology)
        if self._settings.fhir is None:
            yield prevents(
                "server", "no FHIR server is configured", status=CONFIGURATION,
                todo="write its base address as url under [fhir], or into COHORTFINDER_FHIR_URL",
            )  # fmt: skip
            return
        types = self._types if self._terminology else ()
        connection = self._settings.fhir
        # somebody waits for the answer
        hurried = replace(connection, timeout_seconds=min(connection.timeout_seconds, SECONDS))
        self._client = self._open.enter_context(FhirClient(hurried, tries=1, types=types))
        yield fine("server", f"{self._client.name}, {_who(self._settings.fhir)}")

    def _read_trials(self, terminology: Terminology) -> Iterator[Finding]:
        names = self._settings.trials or tuple(shipped_trials())
        for name in names:
            try:
                self._trials.append(read_trial(name, terminology, self._settings))
            except CohortFinderError as error:
                what = f"the trial {name} cannot be read: {str(error).splitlines()[0]}"
                todo = f"correct it: cohortfinder check {name}"
                yield prevents("trial", what, status=CONFIGURATION, todo=todo)
        if self._trials:
            told = ", ".join(trial.id for trial in self._trials)
            yield fine("trial", told if self._settings.trials else f"{told}: none is configured, so those that ship")

    def _way(self) -> Iterator[Finding]:
        return network_findings(route_to(self._connected.connection), self._now())

    def _server(self) -> Iterator[Finding]:
        metadata = ask_metadata(self._connected)
        yield from metadata_findings(self._connected, metadata, self._now())
        if (capability := capability_of(metadata)) is not None:
            self._capability = capability
            yield from support_findings(capability, self._types)
            yield from gate_findings(capability, self._settings.gates.pull)
            yield from quirk_findings(capability)

    def _login(self) -> Iterator[Finding]:
        return login_findings(self._connected)

    def _access(self) -> Iterator[Finding]:
        self._samples = take_samples(self._connected, self._types, self._size)
        yield from access_findings(self._samples, known=self._connected.connection.access is not None)

    def _searching(self) -> Iterator[Finding]:
        connection = self._connected.connection
        return search_findings(Probe(self._connected, self._taken, connection.page_size))

    def _data(self) -> Iterator[Finding]:
        if not self._taken.present:
            return
        self._shares, findings = examine(self._taken.contents(), self._known)
        yield from findings

    def _meaning(self) -> Iterable[Finding]:
        types = self._taken.present
        if not types:
            return ()
        found = self._results() if "Observation" in types else {}
        self._outlooks = tuple(outlook(trial, self._known, types, found) for trial in self._trials)
        told = (result_findings(one.trial, one.without_results, self._known) for one in self._outlooks if found)
        return (*trial_findings(self._outlooks), *chain.from_iterable(told))

    def _results(self) -> dict[str, bool | None]:
        parameter = code_parameter(self._connected)
        if parameter is None:
            return {}
        return results_found(self._trials, self._known, partial(has_results, self._connected, parameter))

    @property
    def _types(self) -> tuple[str, ...]:
        needed = (types_of(trial, self._known) for trial in self._trials)
        return tuple(dict.fromkeys(kind for types in needed for kind in types))

    @property
    def _connected(self) -> FhirClient:
        assert self._client is not None  # without one the first step ends the examination
        return self._client

    @property
    def _known(self) -> Terminology:
        assert self._terminology is not None  # likewise
        return self._terminology

    @property
    def _taken(self) -> Samples:
        assert self._samples is not None  # likewise
        return self._samples


_ACCESS: dict[type[Access], str] = {
    BasicAccess: "a user and a password",
    BearerAccess: "a token",
    OAuthAccess: "tokens of an authorization server",
}


def _who(connection: Connection) -> str:
    return "it is not told who asks" if connection.access is None else f"asked with {_ACCESS[type(connection.access)]}"


def _problems(error: ConfigurationError) -> Iterator[Finding]:
    """Yield each line of an error: a configuration is told with everything that is wrong in it."""
    return (prevents("configuration", line, status=CONFIGURATION) for line in str(error).splitlines())
