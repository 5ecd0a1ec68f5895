"""The pages of a search from a server, by a bare loop and by ours, as processes of their own for `benchmarks.search`.

It imports nothing but what a pull imports, since starting Python is part of what is measured.
"""

import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from cohortfinder.connection import Connection
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.search import Habits, address_of, search
from cohortfinder.jobs.pulling.fetch import Crew
from cohortfinder.landing.spool import Plan, Slice, Spool

PARALLEL, PAGE = 4, 200
_NEXT = re.compile(rb'"next",\s*"url":\s*"([^"]+)"')


def bare(url: str, slices: list[Slice]) -> None:
    """Read the bytes of all pages and do nothing else."""
    own = threading.local()

    def read(part: Slice) -> None:
        session = own.__dict__.setdefault("session", requests.Session())
        link: str | None = f"{url}/{address_of(part, ('_sort', '_lastUpdated'), ('_count', str(PAGE)))}"
        while link:
            content = session.get(link, headers={"Accept": "application/fhir+json"}, timeout=600).content
            found = _NEXT.search(content)
            link = found[1].decode() if found else None

    with ThreadPoolExecutor(PARALLEL) as pool:
        for _ in pool.map(read, slices):
            pass


def ours(url: str, slices: list[Slice], folder: Path) -> None:
    """Bring all pages into a spool."""
    spool = Spool(folder)
    spool.write(Plan(url, "", tuple(slices)))
    with FhirClient(Connection(url, parallel=PARALLEL)) as client:
        crew = Crew(PARALLEL, log=lambda _: None, hurry=client.stop_waiting)
        habits = Habits(page_size=PAGE)
        crew.fetch(slices, {"search": lambda part: search(client, part, spool.of(part), habits, lambda *_: None)})
    if crew.fetched.failed:
        sys.exit(str(crew.fetched.failed))
