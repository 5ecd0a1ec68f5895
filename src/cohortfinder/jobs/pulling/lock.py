"""One pull at a time: the lock of the spool."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cohortfinder.runs.lock import only_one

_LOCK = "lock"


@contextmanager
def only_pull(folder: Path) -> Iterator[None]:
    """Hold the lock. Raises LockedError, naming the process that has it and since when."""
    with only_one(folder / _LOCK, "is pulling"):
        yield
