"""The errors that a user can meet, each with the exit status that scripts rely on.

    CohortFinderError                1  unexpected failure
    ├── UsageError                   2  an option or argument is wrong
    ├── InputError                  64  a given file or folder is not there or not what it should be
    │   └── TrialError              64  a trial file has errors, each with its line
    ├── StoreError                  65  the store is inconsistent or of an unknown layout
    ├── ShrunkError                 65  far less came than the last time: nothing was loaded
    ├── ServerError                 69  a server cannot be reached, or fails
    ├── ReadWriteError              74  cannot read or write (disk full, read-only folder)
    ├── LockedError                 75  another process holds the store: try later
    ├── BusyError                   75  a server asks to wait, longer than we may: try later
    ├── ProtocolError               76  a server answers what does not belong to FHIR
    │   └── QuestionError           76  a server answers that it does not accept the question
    │       └── GoneError           76  what was asked for is not there, or no longer
    ├── RefusedError                77  a server refuses: who asks, or what is asked
    └── ConfigurationError          78  the configuration is wrong

A message is one sentence: what is wrong, where, and what to do next. It never carries a patient's data.
`Terminated` is no error: somebody asked the process to end.
"""

from dataclasses import dataclass


class CohortFinderError(Exception):
    """Base of every error that is reported to the user in one sentence."""

    exit_status = 1


class Terminated(Exception):
    """The process was asked to end by SIGTERM."""


class UsageError(CohortFinderError):
    """The command line is wrong: an unknown option, a date that is none, an index date in the future."""

    exit_status = 2


class InputError(CohortFinderError):
    """A file or folder that was given does not exist, or is not what it should be."""

    exit_status = 64


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a user's file, with the place where an editor can jump to."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class TrialError(InputError):
    """A trial file has errors; all of them are listed, one per line."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class StoreError(CohortFinderError):
    """The store is inconsistent, or written by a version with another layout."""

    exit_status = 65


class ShrunkError(CohortFinderError):
    """Far less came than the last time, so that it cannot be all."""

    exit_status = 65


class ServerError(CohortFinderError):
    """A server cannot be reached, or fails."""

    exit_status = 69


class ReadWriteError(CohortFinderError):
    """The system refused to read or write."""

    exit_status = 74


class LockedError(CohortFinderError):
    """Another process is using the store."""

    exit_status = 75


class BusyError(CohortFinderError):
    """A server asks to come later, and we have waited as long as we may."""

    exit_status = 75


class ProtocolError(CohortFinderError):
    """A server answered what does not belong to FHIR."""

    exit_status = 76


class QuestionError(ProtocolError):
    """A server answered that it cannot answer this question.

    `status` is that of HTTP.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class GoneError(QuestionError):
    """What was asked for is not there, or no longer (404, 410)."""


class RefusedError(CohortFinderError):
    """A server refused, for want of a permission."""

    exit_status = 77

    def __init__(self, message: str, *, status: int | None = None) -> None:
        # 401 or 403
        self.status = status
        super().__init__(message)


class ConfigurationError(CohortFinderError):
    """The configuration is wrong."""

    exit_status = 78
