"""One pull at a time: the lock of the spool, which goes with the process that holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cohortfinder.errors import LockedError

_LOCK = "lock"


@contextmanager
def only_pull(folder: Path) -> Iterator[None]:
    """Hold the lock. Raises LockedError, naming the process that has it and since when."""
    with (folder / _LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise LockedError(f"{folder}: {holder} is pulling; try again when it has finished") from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()} (since {datetime.now(UTC).isoformat(timespec='seconds')})")
        lock.flush()
        yield
