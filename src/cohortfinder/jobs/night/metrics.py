"""The record of a run to a text file for the textfile collector of Prometheus' node_exporter.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cohortfinder import __version__
from cohortfinder.jobs.night.message import Record, counts_of, refusal_codes, time_of, trials_of

STATUSES = ("eligible", "possible", "excluded")
# the collector runs as a user of its own; the file holds nothing but numbers
_READABLE = 0o644
Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, always a gauge, with its samples: labels and value."""

    name: str
    help: str
    samples: tuple[Sample, ...]


def write_metrics(file: Path, record: Record, published_at: datetime | None) -> None:
    """Write the file so that the collector sees the old one or the new one. Raises OSError when it cannot be."""
    handle, scratch = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            target.write(metrics_text(record, published_at))
            os.fchmod(target.fileno(), _READABLE)
        os.replace(scratch, file)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def metrics_text(record: Record, published_at: datetime | None) -> str:
    """Return the whole text. `published_at` is when the list that is up was published, None where there is none."""
    return "".join(_lines(metric) for metric in metrics_of(record, published_at) if metric.samples)


def metrics_of(record: Record, published_at: datetime | None) -> Iterator[Metric]:
    """Yield what is measured of a run."""
    yield Metric("cohortfinder_info", "The version that ran.", (({"version": __version__}, 1),))
    ended = time_of(record.get("ended_at")) or time_of(record.get("started_at"))
    yield Metric("cohortfinder_last_run_timestamp_seconds", "When the last night ended.", _one(_seconds(ended)))
    yield Metric(
        "cohortfinder_last_published_timestamp_seconds", "When the list that is up was published.",
        _one(_seconds(published_at)),
    )  # fmt: skip
    yield Metric("cohortfinder_last_run_exit_status", "Exit status of the last night; 0 is fine, 3 is in part.",
                 _one(record.get("exit_status")))  # fmt: skip
    yield Metric("cohortfinder_last_run_published", "Whether the last night published a list.",
                 _one(float(record["state"] == "published")))  # fmt: skip
    yield Metric("cohortfinder_last_run_refused", "Why the last night refused to publish, by code.",
                 tuple(({"code": code}, 1) for code in refusal_codes(record)))  # fmt: skip
    yield Metric("cohortfinder_run_duration_seconds", "How long each step of the last night took.",
                 tuple(_durations(record)))  # fmt: skip
    yield Metric("cohortfinder_quarantined_resources", "Resources that the last night put aside.",
                 _one(_quarantined(record)))  # fmt: skip
    yield Metric("cohortfinder_candidates", "Listed patients and arms of each trial, by status.",
                 tuple(_candidates(record)))  # fmt: skip
    yield Metric("cohortfinder_new_candidates", "Who is listed and was not in the list before.",
                 tuple(({"trial": name}, counts_of(trial)["new"]) for name, trial in trials_of(record)
                       if "new" in counts_of(trial)))  # fmt: skip


def _one(value: float | None) -> tuple[Sample, ...]:
    return () if value is None else (({}, value),)


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _durations(record: Record) -> Iterator[Sample]:
    """Yield the seconds of each step; steps of one name, as those that were tried twice, are one."""
    seconds: dict[str, float] = {}
    for step in record.get("steps") or ():
        if isinstance(step.get("seconds"), int | float):
            seconds[step["name"]] = seconds.get(step["name"], 0) + step["seconds"]
    for name, value in seconds.items():
        yield {"step": name}, round(value, 3)


def _quarantined(record: Record) -> int | None:
    found = [(step.get("counts") or {}).get("quarantined") for step in record.get("steps") or ()]
    counts = [count for count in found if isinstance(count, int)]
    return sum(counts) if counts else None


def _candidates(record: Record) -> Iterator[Sample]:
    for name, trial in trials_of(record):
        counts = counts_of(trial)
        for status in STATUSES:
            if status in counts:
                yield {"trial": name, "status": status}, counts[status]


def _lines(metric: Metric) -> str:
    head = f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} gauge\n"
    return head + "".join(f"{metric.name}{_labels(labels)} {_number(value)}\n" for labels, value in metric.samples)


def _labels(labels: Mapping[str, str]) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
