"""The page of the night leaves out no code that can be accepted, and that of the outputs no key of a record."""

from dataclasses import fields
from pathlib import Path

from cohortfinder.jobs.night.guards import NAMED, WHOLE
from cohortfinder.runs.notice import Notice
from cohortfinder.runs.record import Refusal, RunRecord
from cohortfinder.runs.snapshots import SnapshotManifest
from cohortfinder.warehouse.lists import TABLES

DOCS = Path(__file__).parents[2] / "docs"
OUTPUTS = (DOCS / "reference" / "outputs.md").read_text(encoding="utf-8").partition("## The nights of a store")[2]


def test_every_code_that_can_be_accepted_is_told() -> None:
    page = (DOCS / "how-to" / "nightly.md").read_text(encoding="utf-8")
    assert [one for one in WHOLE if f"| `{one}` |" not in page] == []
    assert [one for one in NAMED if f"| `{one}:" not in page] == []


def test_every_key_and_every_table_is_told() -> None:
    keys = [one.name for kind in (RunRecord, Refusal, SnapshotManifest, Notice) for one in fields(kind)]
    assert [one for one in (*keys, *TABLES) if f"`{one}`" not in OUTPUTS] == []
