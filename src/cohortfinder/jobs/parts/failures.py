"""What a worker of Spark says of a failure, without the tracebacks of two languages around it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from cohortfinder import errors
from cohortfinder.spark.session import refusals_told

_OURS = re.compile(r"^cohortfinder\.errors\.(?P<kind>[A-Za-z]+): (?P<said>.+)$", re.MULTILINE)


@contextmanager
def worker_told(folder: str) -> Iterator[None]:
    """Raise what a worker has raised, where it is an error of this program, and what Spark refuses in one sentence."""
    with refusals_told(folder):
        try:
            yield
        except Exception as error:
            found = _OURS.search(str(error))
            kind = getattr(errors, found["kind"], None) if found else None
            if found is None or kind is None:
                raise
            raise kind(found["said"]) from error
