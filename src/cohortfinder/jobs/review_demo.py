"""The review application on the invented sample patients: a store of its own, two nights, and a demo account."""

import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from cohortfinder.errors import InputError, StoreError
from cohortfinder.jobs import accounts
from cohortfinder.jobs.demo import AS_OF, TRIAL, sample_files
from cohortfinder.jobs.load import load
from cohortfinder.jobs.night.under_way import NightOptions
from cohortfinder.jobs.nightly import nightly
from cohortfinder.review.access.roles import Role
from cohortfinder.runs.record import PUBLISHED
from cohortfinder.settings import Settings
from cohortfinder.warehouse.connection import WAREHOUSE

FOLDER = Path("cohortfinder-review-demo")
LOGIN, NAME = "demo", "Demo Coordinator"
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ReviewDemo:
    """What is to be served, and how somebody signs in."""

    settings: Settings
    login: str
    password: str


def review_demo(folder: Path, settings: Settings, *, log: Log = lambda _: None) -> ReviewDemo:
    """Rebuild the demo store in `folder` with the lists of two nights, and a coordinator with a new password.

    It listens on the loopback alone, whatever is configured. Raises InputError when the folder holds something that
    is no demo store, StoreError when a night does not publish.
    """
    if folder.exists():
        if not (folder / WAREHOUSE).is_file() and any(folder.iterdir()):
            raise InputError(f"{folder}: this folder is no demo store; move it away or name another one with --store")
        shutil.rmtree(folder)
    port = settings.review.listen.rpartition(":")[2]
    own = Settings(store=folder, trials=(TRIAL,), review=replace(Settings().review, listen=f"127.0.0.1:{port}"))
    load(sample_files(), folder, log=log)
    for day in (AS_OF - timedelta(days=1), AS_OF):
        record = nightly(own, NightOptions(as_of=day, pull=False), log=log)
        if record.state != PUBLISHED:
            raise StoreError(f"{folder}: the list of the demo was not published: {record.message}")
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    accounts.add(own, LOGIN, NAME, password, must_change=False)
    accounts.grant(own, LOGIN, TRIAL, Role.COORDINATOR)
    return ReviewDemo(own, LOGIN, password)
