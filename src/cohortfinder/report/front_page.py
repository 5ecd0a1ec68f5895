"""The page before the published lists: what holds, where it lies, and a banner while it is old."""

from dataclasses import dataclass

from cohortfinder.report.html import page_environment


@dataclass(frozen=True, slots=True)
class FrontList:
    """The list of a trial: its folder as seen from the page, and how many rows and warnings it has."""

    trial: str
    folder: str
    rows: int
    warnings: int


@dataclass(frozen=True, slots=True)
class FrontPage:
    """The lists that hold, None and empty before the first one, and why they are old."""

    index_date: str | None
    made_at: str | None
    lists: tuple[FrontList, ...]
    notice: str | None


def front_page_html(page: FrontPage) -> bytes:
    """Return the page. It needs no script, and names no patient."""
    return page_environment().get_template("front.html.jinja").render(page=page).encode("utf-8")
