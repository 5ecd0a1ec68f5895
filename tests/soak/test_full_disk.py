"""A disk that is full, with more and less left: one sentence and status 74, and all is well when there is space again."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cohortfinder.jobs.verify import verify
from cohortfinder.resources import resource_dir
from soak.disturbed import small_disk

FILE = resource_dir("sample_bundles") / "ss-typical.json"


@pytest.mark.parametrize("kilobytes", [0, 20, 60, 200, 400, 900, 1500])
def test_a_load_on_a_full_disk_is_told_and_made_good(tmp_path: Path, kilobytes: int) -> None:
    with small_disk(tmp_path / "disk", 24) as mounted:
        if not mounted:
            print("no small disk may be mounted here: a full disk is not tried")
            return
        ballast, store = tmp_path / "disk" / "ballast", tmp_path / "disk" / "store"
        with ballast.open("wb") as target:
            os.posix_fallocate(target.fileno(), 0, shutil.disk_usage(tmp_path / "disk").free - kilobytes * 1024 or 1)
        command = [sys.executable, "-m", "cohortfinder", "load", str(FILE), "--store", str(store)]
        full = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (full.returncode, "check" in full.stderr.splitlines()[-1]) == (74, True), full.stderr
        assert "Traceback" not in full.stderr
        ballast.unlink()
        again = subprocess.run(command, capture_output=True, text=True, check=False)
        assert again.returncode == 0, again.stderr
        assert list(verify(store)) == []
