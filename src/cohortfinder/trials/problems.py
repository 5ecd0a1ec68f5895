"""The problems of one trial file, gathered so that all of them are reported at once."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from cohortfinder.errors import Problem, TrialError

# what outputs, file names and SQL refer to
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
ID_WORDS = "write letters, digits, '-', '_' and '.', at most 80, without blanks"


class Problems:
    """Collects what is wrong in one file, each with its line."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[Problem] = []

    def add(self, line: int, message: str) -> None:
        """Note one problem; the same one is noted once."""
        problem = Problem(self.file, line, message)
        if problem not in self._found:
            self._found.append(problem)

    @property
    def found(self) -> tuple[Problem, ...]:
        """The problems in the order of the file."""
        return tuple(sorted(self._found, key=lambda problem: problem.line))

    def raise_if_any(self) -> None:
        """Raise TrialError with every problem found so far."""
        if self._found:
            raise TrialError(self.found)


def nearest(word: str, right_words: Iterable[str]) -> str:
    """Return " Did you mean 'creatinine'?" for the right word that is most like `word`, else nothing."""
    close = get_close_matches(word, list(right_words), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""
