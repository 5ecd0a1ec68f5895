"""The slices of a pull, several at a time, into the spool; whoever ends the process waits for no more than a page."""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from cohortfinder.errors import CohortFinderError, ReadWriteError
from cohortfinder.fhir.export import Exported
from cohortfinder.fhir.pages import IgnoredError
from cohortfinder.jobs.collector import collector_at_ease
from cohortfinder.landing.spool import Mark, Slice

Fetch = Callable[[Slice], Mark]


class StoppedError(Exception):
    """The pull ends; what is on the disk is enough to go on later."""


@dataclass(slots=True)
class Fetched:
    """What became of the slices: how far the finished ones came, and why the others did not.

    `exported` is what the bulk exports among them brought.
    """

    done: dict[int, Mark] = field(default_factory=dict)
    failed: dict[int, CohortFinderError] = field(default_factory=dict)
    exported: dict[int, Exported] = field(default_factory=dict)

    @property
    def lacking(self) -> dict[str, str]:
        """The types of which an export brought not everything, with the reason."""
        return {kind: reason for one in self.exported.values() for kind, reason in one.failed.items()}


class Crew:
    """Fetches slices with so many threads; it can be sent several times. `hurry` ends what waits for the server."""

    def __init__(self, parallel: int, *, log: Callable[[str], None], hurry: Callable[[], None]) -> None:
        self._parallel, self._log, self._hurry = parallel, log, hurry
        self.stop = threading.Event()
        self.fetched = Fetched()

    def check(self) -> None:
        """End the thread that calls it when the pull is to end. Raises StoppedError."""
        if self.stop.is_set():
            raise StoppedError

    def fetch(self, slices: Iterable[Slice], ways: Mapping[str, Fetch]) -> None:
        """Fetch slices, each in the way of its kind. A slice that fails does not stop the others.

        Raises IgnoredError when the server cannot be relied on, ReadWriteError when the disk refuses.
        """
        with collector_at_ease(), ThreadPoolExecutor(max_workers=self._parallel) as pool:
            try:
                running = {pool.submit(self._one, ways[part.kind], part): part for part in slices}
                while running:
                    finished, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in finished:
                        self._note(running.pop(future), future)
            except BaseException:
                self.stop.set()
                self._hurry()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _one(self, fetch: Fetch, part: Slice) -> Mark:
        self.check()
        return fetch(part)

    def _note(self, part: Slice, future: "Future[Mark]") -> None:
        names = ", ".join(part.types)
        try:
            mark = future.result()
        except IgnoredError:
            raise
        except CohortFinderError as error:
            self.fetched.failed[part.number] = error
            self._log(f"{_said(part)} of {names} failed: {error}")
        except OSError as error:
            raise ReadWriteError(
                f"the disk refused what came from the server ({error.strerror}); free space and pull again: it goes on"
            ) from error
        else:
            self.fetched.done[part.number] = mark
            self._log(f"{_said(part)} of {names}: {mark.seen} in {mark.pages} pages")


def _said(part: Slice) -> str:
    return {
        "search": "search", "history": "deletions", "ids": "referenced resources", "sweep": "sweep", "export": "export",
    }[part.kind]  # fmt: skip
