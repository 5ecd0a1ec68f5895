"""The page of the schedule: its configuration is right, and it tells what is really sent and measured."""

import json
import re
from pathlib import Path

from cohortfinder.jobs.night.message import message_of
from cohortfinder.jobs.night.metrics import metrics_of
from cohortfinder.settings import read_settings

PAGE = (Path(__file__).parents[2] / "docs/how-to/schedule.md").read_text(encoding="utf-8")
RECORD = {
    "run_id": "20261127T020000-001", "state": "published", "exit_status": 0, "index_date": "2026-11-27",
    "started_at": "2026-11-27T02:00:00+00:00", "ended_at": "2026-11-27T02:03:05+00:00",
    "trials": {"NCT06983964": {"candidates": 40, "new": 3, "eligible": 2, "possible": 30, "excluded": 8}},
}  # fmt: skip


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_configuration_is_right(tmp_path: Path) -> None:
    (block,) = blocks("toml")
    file = tmp_path / "site.toml"
    file.write_text(block, encoding="utf-8")
    notify = read_settings(file, {}).nightly.notify
    assert None not in (notify.webhook, notify.mail, notify.metrics_file)


def test_the_message_is_what_a_webhook_gets() -> None:
    (block,) = blocks("json")
    shown = json.loads(block)
    assert shown == message_of(RECORD, shown["link"])


def test_every_metric_is_told() -> None:
    names = {metric.name for metric in metrics_of(RECORD, None)}
    assert set(re.findall(r"`(cohortfinder_\w+)", PAGE)) == names
