"""`snapshots/index.html`: the lists that hold, where they lie, and why they are old, for whoever opens files."""

from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import orjson

from cohortfinder.disk import remove, write_durably
from cohortfinder.errors import CohortFinderError
from cohortfinder.report.front_page import FrontList, FrontPage, front_page_html
from cohortfinder.runs.notice import read_notice
from cohortfinder.runs.snapshots import SNAPSHOTS, current_run, read_manifest, snapshot_folder

FRONT_PAGE = "index.html"


def renew_front_page(store: Path) -> None:
    """Write the page anew, after another list holds or a notice has come or gone.

    Where that fails the page goes: it would lead to a list without saying that it is old.
    """
    file = store / SNAPSHOTS / FRONT_PAGE
    try:
        write_durably(file, front_page_html(_page(store)))
    except (CohortFinderError, OSError, ValueError, KeyError):
        with suppress(CohortFinderError, OSError):
            remove(file)


def _page(store: Path) -> FrontPage:
    run_id, notice = current_run(store), read_notice(store)
    told = notice.sentence if notice else None
    if run_id is None:
        return FrontPage(None, None, (), told)
    folder = snapshot_folder(store, run_id)
    manifest = read_manifest(folder)
    lists = tuple(_list(folder, trial) for trial in manifest.trials)
    return FrontPage(manifest.index_date, manifest.made_at, lists, told)


def _list(folder: Path, trial: str) -> FrontList:
    run = orjson.loads((folder / trial / "run.json").read_bytes())
    return FrontList(trial, quote(f"{folder.name}/{trial}"), run["rows"]["candidates"], len(run["warnings"]))
