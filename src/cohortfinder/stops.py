"""That somebody asks the process to end, by SIGTERM or Ctrl-C, also where DuckDB has swallowed it.

A signal that comes while DuckDB runs a query ends that query as a RuntimeError, with the exception of the handler as
its cause (1.5) or without a word of it (2.0).
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from cohortfinder.errors import Terminated

_SWALLOWED = "Query interrupted"
# what was asked last: of the process, as signals are
_asked: list[type[BaseException]] = []


def heed_signals() -> None:
    """Raise Terminated at SIGTERM and KeyboardInterrupt at SIGINT; where SIGINT is ignored it stays so."""
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


@contextmanager
def stops_told() -> Iterator[None]:
    """Raise Terminated or KeyboardInterrupt where a query was ended by a signal."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == _SWALLOWED and _asked:
            raise _asked[-1] from error
        raise


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    _asked.append(Terminated)
    raise Terminated


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    _asked.append(KeyboardInterrupt)
    raise KeyboardInterrupt
