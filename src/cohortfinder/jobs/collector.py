"""Python's cycle collector, kept from walking again and again what holds no cycles: rows, and pages of JSON."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# so many containers more than were freed start it, instead of a few hundred: a page of a search has ten thousand
_SELDOM = 100_000


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Let it do nothing meanwhile."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def collector_at_ease() -> Iterator[None]:
    """Let it come seldom: where work goes on for hours, some cycles arise."""
    _, *older = before = gc.get_threshold()
    gc.set_threshold(_SELDOM, *older)
    try:
        yield
    finally:
        gc.set_threshold(*before)
