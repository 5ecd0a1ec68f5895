"""`cohortfinder merge-counts`: two hospitals share counts, and nobody sees a patient of the other."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cohortfinder.cli.main import status_of
from functional.conftest import Ran
from functional.test_export_command import ADULTS


@pytest.fixture(scope="module")
def exports(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two hospitals have sent: the same patients of the demo, under other names; of rows of patients nothing."""
    folder = tmp_path_factory.mktemp("exports")
    (folder / "trial.yaml").write_text(ADULTS)
    key = folder / "site.key"
    assert status_of(["keys", "pseudonyms", "--private", str(key)]) == 0
    for site in ("north", "south"):
        given = ["export", str(folder / "trial.yaml"), "--as-of", "2026-11-20", "--store", str(demo)]
        assert status_of([*given, "--key", str(key), "--out", str(folder / site)]) == 0
        shutil.rmtree(folder / site / "pseudonymised")
    return folder


def test_the_counts_of_two_hospitals_add_up(exports: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    done = run("merge-counts", exports / "north", exports / "south", "--out", tmp_path / "both.csv", "--json")
    told = json.loads(done.out)
    assert (done.status, told["trial"], told["sites"]) == (0, "T-1", ["north", "south"])
    alone = (exports / "north" / "counts" / "funnel.csv").read_text().splitlines()[1:]
    living = int(alone[0].split(",")[3])
    assert (told["steps"][0]["remaining_least"], told["steps"][0]["remaining_most"]) == (2 * living, 2 * living)
    assert len((tmp_path / "both.csv").read_text().splitlines()) == len(alone) + 1
    assert "living" in run("merge-counts", exports / "north", exports / "south").out


def test_a_site_of_which_data_were_missing_is_told(exports: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    shutil.copytree(exports / "south", tmp_path / "west")
    record = json.loads((tmp_path / "west" / "export.json").read_text()) | {"complete": False, "as_of": "2026-11-19"}
    (tmp_path / "west" / "export.json").write_text(json.dumps(record))
    done = run("merge-counts", exports / "north", tmp_path / "west")
    assert (done.status, "west screened with warnings" in done.out, "different days" in done.out) == (3, True, True)


def test_what_is_no_export_is_said_in_a_sentence(exports: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    shutil.copytree(exports / "south", tmp_path / "odd")
    (tmp_path / "odd" / "counts" / "funnel.csv").write_text("arm\nA\n")
    assert run("merge-counts", tmp_path / "odd").status == 64
    missing = run("merge-counts", tmp_path / "nowhere")
    assert (missing.status, "cohortfinder export --out" in missing.err) == (64, True)
    shutil.copytree(exports / "south", tmp_path / "more" / "south")
    twice = run("merge-counts", exports / "south", tmp_path / "more" / "south")
    assert (twice.status, "the same name" in twice.err) == (64, True)
