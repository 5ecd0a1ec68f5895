"""One process at a time: a lock in a file, which goes with the process that holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cohortfinder.errors import LockedError

# in the folder of a store: who runs a night, or changes which list holds
NIGHT, REPLAY = "nightly.lock", "replay.lock"


@contextmanager
def only_one(file: Path, doing: str) -> Iterator[None]:
    """Hold the lock of `file`; `doing` says what its holder does ("is pulling").

    A file without a holder, as a process that was killed leaves it, is no lock. Raises LockedError at once, naming the
    process that has it and since when.
    """
    # for the owner alone from its first byte on
    with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = lock.read().strip() or "another process"
            raise LockedError(f"{file.parent}: {holder} {doing}; try again when it has finished") from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()} (since {datetime.now(UTC).isoformat(timespec='seconds')})")
        lock.flush()
        yield


def holder_of(file: Path) -> str | None:
    """Return which process holds the lock of `file`, None when nobody does."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return lock.read().strip() or "another process"
    return None
