"""The job `demo`: the sample patients loaded into a store of their own and screened, with no configuration."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

from cohortfinder.errors import InputError
from cohortfinder.jobs.load import load
from cohortfinder.jobs.screen import ScreenResult, read_terminology, read_trial, screen_store
from cohortfinder.report.html import IN_FULL
from cohortfinder.resources import resource_dir
from cohortfinder.settings import Settings
from cohortfinder.warehouse.connection import WAREHOUSE

FOLDER = Path("cohortfinder-demo")
TRIAL = "NCT06983964"
AS_OF = date(2026, 11, 20)
_FHIR = (".json", ".ndjson", ".gz")


def demo(folder: Path = FOLDER, *, log: Callable[[str], None] = lambda _: None) -> ScreenResult:
    """Rebuild the demo store in `folder`, screen the trial, and write the outputs into `folder`/out.

    Raises InputError when the folder holds something that is no demo store.
    """
    if folder.exists():
        if not (folder / WAREHOUSE).is_file() and any(folder.iterdir()):
            raise InputError(f"{folder}: this folder is no demo store; move it away or run the demo elsewhere")
        shutil.rmtree(folder)
    load(sample_files(), folder, log=log)
    settings = Settings(store=folder)
    terminology = read_terminology(settings)
    trial = read_trial(TRIAL, terminology, settings)
    return screen_store(trial, terminology, settings, as_of=AS_OF, out=folder / "out", in_full=IN_FULL, log=log)


def sample_files() -> list[Path]:
    """Return the FHIR files of sample_bundles/, without the deliberately broken ones."""
    return sorted(path for path in resource_dir("sample_bundles").iterdir() if path.suffix in _FHIR)
