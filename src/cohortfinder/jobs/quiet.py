"""A store in which nothing else happens: no night, no pull and no replay, while landing itself is changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cohortfinder.errors import InputError
from cohortfinder.jobs.load import LANDING
from cohortfinder.jobs.pulling.errand import SPOOL
from cohortfinder.jobs.pulling.lock import only_pull
from cohortfinder.jobs.remade import remade
from cohortfinder.runs.lock import NIGHT, only_one
from cohortfinder.warehouse.connection import make_private


@contextmanager
def quiet(store: Path) -> Iterator[None]:
    """Keep nights, pulls and replays away, and remove what a killed replay has left.

    Raises InputError when there is no store, LockedError naming who is at work.
    """
    if not (store / LANDING).is_dir():
        raise InputError(f"{store}: there is no store here; check --store")
    make_private(store / SPOOL)
    with only_one(store / NIGHT, "runs a night"), only_pull(store / SPOOL), remade(store):
        yield
