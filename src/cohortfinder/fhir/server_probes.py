"""What a server is: its CapabilityStatement, its release of FHIR, its clock; each a finding."""

from collections.abc import Collection, Iterator
from datetime import datetime

from cohortfinder.address import origin, same_origin
from cohortfinder.fhir.answers import Answer
from cohortfinder.fhir.capability import Capability, read_capability
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.findings import CONFIGURATION, REFUSED, UNAVAILABLE, Finding, fine, note, prevents, warning
from cohortfinder.fhir.trying import Tried, tried

# tokens are dated, and a server allows for about a minute
SKEW_SECONDS = 60


def ask_metadata(client: FhirClient) -> Tried:
    """Ask for the CapabilityStatement, which is open to everyone; where it is not, say who asks."""
    metadata = tried(client, "metadata", authorized=False)
    return tried(client, "metadata") if metadata.refused else metadata


def capability_of(metadata: Tried) -> Capability | None:
    """Return what the server says of itself, None where it says nothing."""
    resource = metadata.resource
    if resource is None or resource["resourceType"] not in ("CapabilityStatement", "Conformance"):
        return None
    return read_capability(resource)


def metadata_findings(client: FhirClient, metadata: Tried, now: datetime) -> Iterator[Finding]:
    """Yield what the answer to /metadata tells: which server this is, or why it is none of ours."""
    capability = capability_of(metadata)
    if capability is None:
        yield _no_server(client, metadata)
        return
    yield fine("server", f"{capability.name or 'a server without a name'}, FHIR {capability.fhir_version or '?'}")
    yield _release(capability)
    yield from _formats(capability)
    if metadata.answer is not None:
        yield _clock(metadata.answer, now)


def _no_server(client: FhirClient, metadata: Tried) -> Finding:
    asked, status = f"{client.name}/metadata", metadata.status
    if metadata.refused:
        return prevents(
            "server", f"{asked} is refused ({status}), even to those who say who they are", status=REFUSED,
            ask="Which credentials open the server? /metadata itself should be open to everyone.",
        )  # fmt: skip
    if status == 0 or status >= 429:
        what = metadata.reason or f"{asked} is not answered: the server fails ({status})"
        return prevents("server", what, status=UNAVAILABLE, todo="try later", ask="Is the server well?")
    if status >= 400:
        return prevents(
            "server", f"there is no FHIR server at {client.name} ({status} for /metadata)", status=CONFIGURATION,
            todo="check the path of the address: it ends where /metadata begins",
            ask="What is the base address of the FHIR R4 server?",
        )  # fmt: skip
    return _other_page(client, metadata.answer) if metadata.answer else _other_answer(asked)


def _other_page(client: FhirClient, answer: Answer) -> Finding:
    """Say what is there instead of FHIR: often a page to log in."""
    if "html" not in answer.kind:
        return _other_answer(f"{client.name}/metadata")
    sent = "" if same_origin(answer.url, client.base) else f" of {origin(answer.url)}"
    return prevents(
        "server", f"{client.name} answers with a web page{sent} and not with FHIR: often one to log in",
        status=CONFIGURATION, todo="write the address that programs use, not that of the portal for people",
        ask="What is the base address of the FHIR R4 server for programs, and how do they log in?",
    )  # fmt: skip


def _other_answer(asked: str) -> Finding:
    return prevents(
        "server", f"{asked} answers, and what comes is no CapabilityStatement", status=CONFIGURATION,
        todo="check the base address", ask="What is the base address of the FHIR R4 server?",
    )  # fmt: skip


def _release(capability: Capability) -> Finding:
    if capability.is_r4:
        return fine("release", f"FHIR R4 ({capability.fhir_version})")
    if not capability.fhir_version:
        return warning("release", "the server does not tell its release of FHIR", ask="Is the server FHIR R4 (4.0.1)?")
    if capability.fhir_version.startswith("4."):
        what = f"the server speaks FHIR {capability.fhir_version}, which is not quite R4 (4.0.1)"
        return warning("release", what, ask="Is there an address for FHIR R4 (4.0.1)?")
    return prevents(
        "release", f"the server speaks FHIR {capability.fhir_version}, and what is read here is R4 (4.0.1)",
        status=CONFIGURATION, todo="configure the address of an R4 server",
        ask="Is there an address for FHIR R4 (4.0.1)?",
    )  # fmt: skip


def _formats(capability: Capability) -> Iterator[Finding]:
    if capability.formats and not any("json" in one for one in capability.formats):
        yield warning("formats", f"the server offers {', '.join(capability.formats)}, and no JSON", ask="Offer JSON.")


def _clock(answer: Answer, now: datetime) -> Finding:
    if answer.at is None:
        what = "the server does not tell its time (header Date)"
        return warning("clock", what, ask="Let the server, or what stands before it, send the header Date.")
    seconds = (answer.at - now).total_seconds()
    if abs(seconds) <= SKEW_SECONDS:
        return fine("clock", "the clocks of the server and of this machine agree")
    minutes, where = abs(seconds) / 60, "ahead of" if seconds > 0 else "behind"
    return warning(
        "clock", f"the server's clock is {minutes:.0f} minutes {where} that of this machine",
        todo="check the clock of this machine (timedatectl): tokens are dated, and one from another time is refused; "
        "what is new is counted by the server's clock, so that nothing is missed",
        ask="Is the clock of the server kept by NTP?",
    )  # fmt: skip


def support_findings(capability: Capability, types: Collection[str]) -> Iterator[Finding]:
    """Yield which of the types are not told to be searched, and whether an export is offered."""
    missing = [kind for kind in types if kind not in capability.types or not capability.types[kind].searched]
    if missing and capability.types:
        what = f"the server does not say that {', '.join(missing)} can be searched; asked nevertheless, see below"
        yield note("types", what)
    if capability.exports:
        levels = ", ".join(level or "the whole system" for level in capability.exports)
        yield fine("export", f"$export is offered for {levels}")
    else:
        yield note("export", "no $export is offered: everything is pulled by search")
