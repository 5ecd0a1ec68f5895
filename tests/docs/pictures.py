"""The pictures of docs/images, taken of reports in Chromium: `python -m tests.docs.pictures REPORT WITH_OUTCOMES`.

REPORT is the report.html of `cohortfinder demo`, WITH_OUTCOMES one of the same patients with `--answers` that tell
outcomes. It needs playwright, /usr/bin/chromium and pdftoppm; no test takes them.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

IMAGES = Path(__file__).parents[2] / "docs" / "images"
_PATIENT = "iim-pregnant-by-record"


@dataclass(frozen=True)
class Picture:
    """What is in view when a picture is taken: a part of the page, in a window of so many pixels."""

    name: str
    shows: str
    width: int = 1400
    height: int = 900
    outcomes: bool = False


PICTURES = (
    Picture("report-list", "body"),
    Picture("report-800", "body", 800),
    Picture("report-390", "#shown", 390, 844),
    Picture("report-patient", f".patient:has(bdi:text-is('{_PATIENT}'))"),
    Picture("report-steps", "#steps"),
    Picture("report-calendar", "#calendar"),
    Picture("report-funnel", "#funnels"),
    Picture("report-what-if", "#what-if"),
    Picture("report-calibration", "#calibration", 1400, 800, outcomes=True),
    Picture("report-settle", "#settle"),
)
# so many pages of paper, from the first of each part on
PRINTED = {"report-print": "The list", "report-print-what-if": "What if the protocol said another number?"}


def main() -> None:
    """Take all pictures."""
    from playwright.sync_api import sync_playwright

    pages = [Path(one).resolve().as_uri() for one in sys.argv[1:3]]
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for picture in PICTURES:
            tab = browser.new_page(viewport={"width": picture.width, "height": picture.height})
            tab.goto(pages[picture.outcomes])
            _look_at(tab, picture.shows)
            tab.screenshot(path=IMAGES / f"{picture.name}.png")
            tab.close()
        _print(browser.new_page(), pages[False])
        browser.close()


def _look_at(tab: Any, selector: str) -> None:
    """Scroll again and again: what comes into view for the first time is laid out, and moves what is below."""
    for _ in range(3):
        tab.locator(selector).first.evaluate("one => one.scrollIntoView()")
        tab.wait_for_timeout(600)


def _print(tab: Any, page: str) -> None:
    """Print what a meeting needs, the first possible ones, and make pictures of some pages."""
    tab.goto(page)
    tab.select_option("select[name=status]", "possible")
    tab.select_option("select[name=first]", "25")
    with TemporaryDirectory() as folder:
        pdf = Path(folder) / "report.pdf"
        tab.pdf(path=pdf, format="A4")
        pages = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, check=True, text=True).stdout.split("\f")
        for name, place in _places(pages):
            options = ["-png", "-singlefile", "-r", "80", "-f", str(place), "-l", str(place)]
            subprocess.run(["pdftoppm", *options, pdf, IMAGES / name], check=True)


def _places(pages: list[str]) -> Iterator[tuple[str, int]]:
    for name, heading in PRINTED.items():
        yield name, next(number for number, text in enumerate(pages, start=1) if heading in text.splitlines())


if __name__ == "__main__":
    main()
