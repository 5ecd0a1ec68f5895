"""Whether a server offers what keeps patients off every list: Consents and Flags."""

from collections.abc import Iterator

from cohortfinder.fhir.capability import Capability
from cohortfinder.fhir.findings import Finding, fine, note, warning
from cohortfinder.jobs.pulling.wanted import OF_GATES

_ASK = "Where is it recorded who must not be contacted, or refuses research?"
_LIST = "give those who must not be contacted as a list: do_not_contact under [gates]"


def gate_findings(capability: Capability, pull: bool | None) -> Iterator[Finding]:
    """Yield what of the gates a pull will ask for, and what it cannot; `pull` is the site's own word on it."""
    if pull is False:
        yield note("gates", "Consents and Flags are not asked for: pull = false under [gates]", todo=_LIST)
        return
    offered = [kind for kind in OF_GATES if kind in capability.types and capability.types[kind].searched]
    lacking = [kind for kind in OF_GATES if kind not in offered]
    if offered:
        yield fine("gates", f"{' and '.join(offered)} can be searched: who refuses there is kept off every list")
    if lacking:
        what = f"the server does not offer {' and '.join(lacking)}: nobody is kept off a list by them"
        yield note("gates", what, todo=_LIST) if pull is None else warning("gates", what, todo=_LIST, ask=_ASK)
