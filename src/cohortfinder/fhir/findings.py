"""What was found about a server or the way to it: one sentence, how bad it is, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["fine", "note", "warning", "error"]

UNAVAILABLE, REFUSED, CONFIGURATION, WARNINGS = 69, 77, 78, 3
# what keeps everything else from being tried comes first
_ORDER = (CONFIGURATION, UNAVAILABLE, REFUSED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    `check` names what was looked at, in a word or two. `todo` says what to do here, `ask` what the team of the server
    has to do or to answer. `status` is the exit status that an error calls for.
    """

    check: str
    severity: Severity
    what: str
    todo: str = ""
    ask: str = ""
    status: int = 0


def fine(check: str, what: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(check, "fine", what)


def note(check: str, what: str, *, todo: str = "", ask: str = "") -> Finding:
    """Return what is worth knowing and costs nothing."""
    return Finding(check, "note", what, todo, ask)


def warning(check: str, what: str, *, todo: str = "", ask: str = "") -> Finding:
    """Return what does not prevent a pull and makes it poorer."""
    return Finding(check, "warning", what, todo, ask, WARNINGS)


def prevents(check: str, what: str, *, status: int, todo: str = "", ask: str = "") -> Finding:
    """Return what prevents a pull."""
    return Finding(check, "error", what, todo, ask, status)


def exit_status(findings: Iterable[Finding]) -> int:
    """Return 0, 3 for warnings, or the status of what prevents a pull: the configuration first, then the network."""
    told = {finding.status for finding in findings}
    return next((status for status in (*_ORDER, WARNINGS) if status in told), 0)


def prevented(findings: Iterable[Finding]) -> bool:
    """Say whether something prevents a pull."""
    return any(finding.severity == "error" for finding in findings)
