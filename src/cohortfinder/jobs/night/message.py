"""The record of a run to what may be told of it outside: numbers, codes and a link, never a text of a record."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

Record = Mapping[str, Any]
_STATES = {
    "published": "a new list is published",
    "refused": "no new list: the night refused to publish",
    "failed": "no new list: the night failed",
    "interrupted": "no new list: the night was interrupted",
}
_SHOWN = ("candidates", "new", "eligible", "possible")


def message_of(record: Record, link: str | None) -> dict[str, Any]:
    """Return what a webhook is told: only names of ours, numbers and dates. `text` is what chat programs show."""
    return {
        "program": "cohortfinder",
        "text": text_line(record, link),
        "run_id": record["run_id"],
        "state": record["state"],
        "exit_status": record.get("exit_status"),
        "index_date": record.get("index_date"),
        "started_at": record.get("started_at"),
        "ended_at": record.get("ended_at"),
        "seconds": seconds_of(record),
        "trials": {name: counts_of(trial) for name, trial in trials_of(record)},
        "refusals": refusal_codes(record),
        "accepted": [str(code) for code in record.get("accepted") or ()],
        "link": link,
    }


def text_line(record: Record, link: str | None) -> str:
    """Return the whole in one line."""
    parts = [f"cohortfinder {record['run_id']}: {_state(record)}"]
    parts += [f"{name}: {shown_counts(trial)}" for name, trial in trials_of(record)]
    if codes := refusal_codes(record):
        parts.append(f"reasons: {', '.join(codes)}")
    return "; ".join([*parts, link] if link else parts)


def subject_of(record: Record) -> str:
    """Return the subject of a mail."""
    return (
        f"cohortfinder {record.get('index_date') or record['run_id']}: {_STATES.get(record['state'], record['state'])}"
    )


def mail_text(record: Record, link: str | None) -> str:
    """Return the few lines of a mail."""
    lines = [
        f"{_state(record).capitalize()}.",
        "",
        f"run          {record['run_id']}",
        f"index date   {record.get('index_date') or '-'}",
        f"exit status  {'-' if record.get('exit_status') is None else record['exit_status']}",
    ]
    if (seconds := seconds_of(record)) is not None:
        lines.append(f"took         {seconds:,.0f} s")
    lines += ["", *(f"{name}: {shown_counts(trial)}" for name, trial in trials_of(record))]
    if codes := refusal_codes(record):
        lines += ["", f"Why: {', '.join(codes)}. `cohortfinder status` on the machine says more; the last list stays."]
    return "\n".join([*lines, *(["", link] if link else []), ""])


def _state(record: Record) -> str:
    return _STATES.get(record["state"], str(record["state"]))


def is_problem(record: Record) -> bool:
    """Tell whether somebody should look: nothing was published, or it was not all."""
    return record["state"] != "published" or bool(record.get("exit_status"))


def trials_of(record: Record) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the id and the entry of each trial."""
    yield from sorted((record.get("trials") or {}).items())


def counts_of(trial: Mapping[str, Any]) -> dict[str, int]:
    """Return the numbers of a trial; texts in its entry, as hashes, are left out."""
    return {name: value for name, value in trial.items() if isinstance(value, int) and not isinstance(value, bool)}


def shown_counts(trial: Mapping[str, Any]) -> str:
    """Return the most important numbers of a trial in words."""
    counts = counts_of(trial)
    shown = [f"{counts[name]:,} {name}" for name in _SHOWN if name in counts]
    return ", ".join(shown) or "no numbers"


def refusal_codes(record: Record) -> list[str]:
    """Return the codes of what the night did not accept, each once."""
    return list(dict.fromkeys(str(one["code"]) for one in record.get("refusals") or ()))


def seconds_of(record: Record) -> float | None:
    """Return how long the run took, None where it has not ended."""
    started, ended = time_of(record.get("started_at")), time_of(record.get("ended_at"))
    return None if started is None or ended is None else round((ended - started).total_seconds(), 1)


def time_of(text: str | None) -> datetime | None:
    """Return a moment of a record, None where none is written."""
    return None if text is None else datetime.fromisoformat(text)
