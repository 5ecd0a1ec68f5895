"""The progress of a pull: one line that moves on a terminal, one line a slice elsewhere."""

import shutil
import threading
import time
from collections import Counter
from types import TracebackType

import click

from cohortfinder.cli.logs import LOGS
from cohortfinder.landing.spool import Mark, Slice

_BETWEEN_SECONDS = 0.5


class PullProgress:
    """Counts what comes; several threads tell of their pages."""

    def __init__(self) -> None:
        self._terminal = LOGS.moves
        self._lock = threading.Lock()
        self._seen: dict[int, tuple[str, int]] = {}
        self._totals: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self._began = self._drawn = time.monotonic()
        self._width = 0

    def __enter__(self) -> "PullProgress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._wipe()

    def log(self, message: str) -> None:
        """Say what is being done, on a line of its own."""
        with self._lock:
            self._wipe()
            LOGS.say(message)

    def noted(self, part: Slice, mark: Mark, total: int | None) -> None:
        """Count a page that is on the disk."""
        with self._lock:
            # of a slice that was begun by an earlier pull only what comes now has a rate
            self._before.setdefault(part.number, mark.seen)
            self._seen[part.number] = (part.types[0], mark.seen)
            if total is not None:
                self._totals[part.number] = total
            now = time.monotonic()
            if self._terminal and now - self._drawn >= _BETWEEN_SECONDS:
                self._drawn = now
                self._draw(now)

    def _draw(self, now: float) -> None:
        counts: Counter[str] = Counter()
        for kind, seen in self._seen.values():
            counts[kind] += seen
        rate = (sum(counts.values()) - sum(self._before.values())) / max(now - self._began, 1)
        remaining = sum(max(total - self._seen[number][1], 0) for number, total in self._totals.items())
        left = f", {remaining:,} to come" if remaining else ""
        line = f"{', '.join(f'{kind} {count:,}' for kind, count in counts.items())} ({rate:,.0f} a second{left})"
        line = line[: shutil.get_terminal_size().columns - 1]
        click.echo(f"\r{line.ljust(self._width)}", nl=False, err=True)
        self._width = len(line)

    def _wipe(self) -> None:
        if self._width:
            click.echo(f"\r{' ' * self._width}\r", nl=False, err=True)
            self._width = 0
