"""Many verdicts told by several processes: Python tells in one thread, and the engine has done its work by then.

A process is this module started anew, so that nothing of the one that starts it runs twice. It reads pickled objects
from its standard input: the trial and the language, then stretches of verdicts with the files to write them into; it
answers each with None, or with the exception that stopped it.
"""

import gc
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Lock
from typing import IO

from cohortfinder.model import Trial
from cohortfinder.report.verdict_files import Stretch, write_stretch
from cohortfinder.report.verdict_rows import Given, Teller
from cohortfinder.wording import Language


def told_by_several(
    stretches: Iterator[list[Given]], trial: Trial, language: Language, folder: Path, processes: int
) -> tuple[Stretch, ...]:
    """Tell stretches of verdicts, each by the process that is free first, into files of `folder`; in their order.

    Raises OSError when a process cannot write, or does not live to its end.
    """
    told: dict[int, Stretch] = {}
    numbered, lock = enumerate(stretches), Lock()

    def work(process: "_Process") -> None:
        process.send((trial, language))
        while True:
            with lock:
                number, given = next(numbered, (0, None))
            if given is None:
                return
            told[number] = Stretch(folder / f"{number}.csv", folder / f"{number}.ndjson")
            process.tell(given, told[number])

    with ExitStack() as stack:
        started = [stack.enter_context(closing(_Process())) for _ in range(processes)]
        pool = stack.enter_context(ThreadPoolExecutor(processes))
        for done in [pool.submit(work, process) for process in started]:
            done.result()
    return tuple(told[number] for number in sorted(told))


class _Process:
    """One process that tells."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def tell(self, given: list[Given], stretch: Stretch) -> None:
        """Have some verdicts written, and wait for it."""
        self.send((given, stretch))
        assert self._process.stdout is not None
        try:
            problem = pickle.load(self._process.stdout)
        except EOFError:
            raise ChildProcessError("a process that writes verdicts ended before its time") from None
        if problem is not None:
            raise problem

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def send(self, message: object) -> None:
        """Hand an object over."""
        assert self._process.stdin is not None
        pickle.dump(message, self._process.stdin, pickle.HIGHEST_PROTOCOL)
        self._process.stdin.flush()


def main() -> None:
    """Tell what comes on the standard input until it ends."""
    # what is read and told has no cycles, and looking for them takes a tenth of the time
    gc.disable()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    teller = Teller(*pickle.load(source))
    for given, stretch in _messages(source):
        problem: Exception | None = None
        try:
            write_stretch(teller.told(given), stretch)
        except OSError as error:
            problem = error
        pickle.dump(problem, target)
        target.flush()


def _messages(source: IO[bytes]) -> Iterator[tuple[list[Given], Stretch]]:
    while True:
        try:
            yield pickle.load(source)
        except EOFError:
            return


if __name__ == "__main__":
    main()
