"""What is wrong with a ViewDefinition: the view, the column and the position in its path."""

import difflib
from collections.abc import Iterable

from cohortfinder.errors import InputError


class ViewError(InputError):
    """A ViewDefinition is not valid, or uses what the compiler does not know.

    `where` is the place inside the view (a column or a keyword), `path` the FHIRPath text, `position` the
    place in it from 0.
    """

    def __init__(
        self, message: str, *, view: str = "", where: str = "", path: str = "", position: int | None = None
    ) -> None:
        self.problem, self.view, self.where, self.path, self.position = message, view, where, path, position
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        parts = [f"view {self.view!r}"] if self.view else ["view"]
        if self.where:
            parts.append(self.where)
        if self.path:
            place = "" if self.position is None else f" at character {self.position + 1}"
            parts.append(f"path {self.path!r}{place}")
        return f"{', '.join(parts)}: {self.problem}"

    def within(self, *, view: str = "", where: str = "", path: str = "") -> "ViewError":
        """Return the same error with the places filled in that are still empty."""
        return type(self)(
            self.problem,
            view=self.view or view,
            where=self.where or where,
            path=self.path or path,
            position=self.position,
        )


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: which of the known ones is most like it."""
    like = difflib.get_close_matches(name, names, n=1, cutoff=0)
    return f"; the nearest is {like[0]!r}" if like else ""


class UnknownElementError(ViewError):
    """A name that is no element of the definition it is taken from."""
