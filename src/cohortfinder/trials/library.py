"""Where trial files are: a path that is given, or the id of one that ships with the program."""

from pathlib import Path

from cohortfinder.errors import InputError, Problem, TrialError
from cohortfinder.resources import resource_dir
from cohortfinder.trials.problems import nearest


def read_text(path: Path) -> str:
    """Return the text of a trial or of its cases. Raises TrialError where it is not UTF-8, OSError without a file."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TrialError((Problem(str(path), line, "this is not UTF-8 text; save the file as UTF-8"),)) from error


def find_trial(name: str) -> Path:
    """Return the file of a trial, given as a path or as the id of one in trials/.

    Raises InputError when there is none, with the nearest id.
    """
    given = Path(name)
    if given.is_file():
        return given
    shipped = shipped_trials()
    if name in shipped:
        return shipped[name]
    hint = nearest(name, shipped) or f" Known ids: {', '.join(shipped)}."
    raise InputError(f"{name}: there is no such trial file or id.{hint}")


def shipped_trials() -> dict[str, Path]:
    """Return the files of the trials that ship with the program, by id."""
    return {path.stem: path for path in sorted(resource_dir("trials").glob("*.yaml"))}
