"""A disk that is soon full: a file system in memory, which only root may make."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk_in(folder: Path, megabytes: int) -> Iterator[Path]:
    """Yield a disk of so many MB in a folder, where this may be made; else the test is skipped."""
    disk = folder / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", disk]
    if subprocess.run(mounting, capture_output=True).returncode:
        pytest.skip("a disk of a certain size can only be made by root")
    try:
        yield disk
    finally:
        # Java, or a process that was killed, may have a file open for a moment longer
        subprocess.run(["umount", "--lazy", disk], check=True)
