"""The job `export`: a screening to what may leave the site."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cohortfinder.jobs.screen import screen_store
from cohortfinder.model import Trial
from cohortfinder.report.export import Export, write_export
from cohortfinder.report.pseudonyms import Pseudonyms, read_key, require_apart, write_identification
from cohortfinder.settings import Settings
from cohortfinder.terminology import Terminology

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an export is to be: the key of the pseudonyms, from which number on counts are shown, and where it goes.

    `identification` is the file, for the site alone, that says which patient stands behind each pseudonym.
    """

    out: Path
    key: Path
    below: int
    identification: Path | None = None


def export_trial(
    trial: Trial,
    terminology: Terminology,
    settings: Settings,
    wanted: Wanted,
    *,
    as_of: date,
    log: Log = lambda _: None,
) -> tuple[tuple[Path, ...], int]:
    """Screen the store and write the export; return its files and the exit status.

    Raises InputError when the key or the identification would leave with the export, or there is no key;
    ConfigurationError when others may read the key.
    """
    require_apart(wanted.out, wanted.key, wanted.identification)
    pseudonyms = Pseudonyms(read_key(wanted.key), trial.id)
    result = screen_store(trial, terminology, settings, as_of=as_of, in_full=0, log=log)
    export = Export(result.screening, pseudonyms, wanted.below)
    files = write_export(wanted.out, export)
    if wanted.identification is not None:
        listed = {one.patient_id for one in result.screening.candidates}
        write_identification(wanted.identification, pseudonyms.of, listed)
    return files, result.exit_status
