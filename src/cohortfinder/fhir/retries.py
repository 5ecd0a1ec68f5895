"""When a question that got no answer is asked again, and how long the program waits before."""

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Event, Lock

from cohortfinder.errors import BusyError

TRIES = 4
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 300.0
_FIRST_SECONDS, _MOST_SECONDS = 1.0, 64.0
# after a server asked to come later
_SLOW_SECONDS = 600.0
_SLOWEST = 16


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, so that a test can hold both. Without `sleep` a wait is real, and ends when the run does."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    sleep: Callable[[float], None] | None = None


def told_wait(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return how many seconds a server asks to wait, within our bounds; None when it does not say, or not so that we
    understand it.

    Source: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3, and x-ms-retry-after-ms of Azure.
    """
    seconds = _number(headers.get("x-ms-retry-after-ms"), 1 / 1000)
    told = headers.get("Retry-After")
    if seconds is None:
        seconds = _number(told, 1)
    if seconds is None and told:
        seconds = _until(told, now)
    return None if seconds is None else min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)


def _number(text: str | None, unit: float) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number * unit if math.isfinite(number) else None


def _until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    # RFC 5322 writes an unknown zone as -0000, which becomes none
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()


class Patience:
    """What the threads of one run may wait in all, and how slowly they ask after a server was asked too much."""

    def __init__(self, *, budget_seconds: float, clock: Clock, tries: int = TRIES) -> None:
        self.clock, self.tries = clock, tries
        self._budget, self._waited_until = budget_seconds, -math.inf
        self._slowness, self._slow_until = 1, -math.inf
        self._not_before = -math.inf
        self._lock, self._stopped = Lock(), Event()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        self._stopped.set()

    def backoff(self, attempt: int) -> float:
        """Return how long to wait after so many tries where the server does not say: at random, up to ever more.

        Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ (full jitter)
        """
        return self.clock.random() * min(_FIRST_SECONDS * 2.0 ** (attempt - 1), _MOST_SECONDS)

    def wait(self, seconds: float) -> bool:
        """Wait, and take it from what the run may wait in all; threads that wait at the same time take it once.

        Returns False at once when it would be too much.
        """
        with self._lock:
            now = self.clock.monotonic()
            fresh = max(0.0, now + seconds - max(now, self._waited_until))
            if fresh > self._budget:
                return False
            self._budget -= fresh
            self._waited_until = max(self._waited_until, now + seconds)
        self._sleep(seconds)
        return True

    def ease(self, seconds: float) -> None:
        """Note that the server was asked too much: nobody asks before the time that it told, and then more slowly."""
        with self._lock:
            now = self.clock.monotonic()
            # several threads hear it at once
            if self._not_before <= now:
                self._slowness = min(self._slowness * 2, _SLOWEST)
            self._not_before = max(self._not_before, now + seconds)
            self._slow_until = self._not_before + _SLOW_SECONDS

    def turn(self) -> bool:
        """Wait until the server may be asked, when it told another thread to come later. Returns what `wait` does."""
        with self._lock:
            left = self._not_before - self.clock.monotonic()
        return left <= 0 or self.wait(left)

    def pace(self, took: float) -> None:
        """Rest after a request as long as the slowness asks: at half the rate as long as the request took."""
        with self._lock:
            if self.clock.monotonic() >= self._slow_until:
                self._slowness = 1
            rest = took * (self._slowness - 1)
        if rest > 0:
            self._sleep(rest)

    def pause(self, seconds: float) -> None:
        """Wait for work that the server has taken on: no part of what the run may wait in all."""
        self._sleep(seconds)

    def _sleep(self, seconds: float) -> None:
        if self.clock.sleep is not None:
            self.clock.sleep(seconds)
        elif self._stopped.wait(seconds):
            raise BusyError("the run was ended while it waited for the server")
