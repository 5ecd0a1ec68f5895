"""The pictures of the review application, taken in Chromium: `python -m tests.docs.review_pictures ADDRESS LOGIN PASSWORD`.

ADDRESS, LOGIN and PASSWORD are what `make review` prints. It needs playwright and /usr/bin/chromium; no test takes them.
"""

import sys
from typing import Any

from tests.docs.pictures import IMAGES

TRIAL = "NCT06983964"
WIDTHS = {390: 844, 800: 900, 1280: 900}
# each page by the name of its pictures
PAGES = {
    "trials": "/",
    "list": f"/trials/{TRIAL}",
    "patient": "",
    "next-tests": f"/trials/{TRIAL}/steps",
    "log": f"/trials/{TRIAL}/log",
    "criteria": f"/trials/{TRIAL}/criteria",
}


def main() -> None:
    """Take all pictures."""
    from playwright.sync_api import sync_playwright

    address, login, password = sys.argv[1:4]
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for width, height in WIDTHS.items():
            tab = browser.new_page(viewport={"width": width, "height": height})
            _sign_in(tab, address, login, password)
            for name, path in PAGES.items():
                tab.goto(address + (path or _patient(tab, address)))
                tab.wait_for_timeout(300)
                tab.screenshot(path=IMAGES / f"review-{name}-{width}.png")
        browser.close()


def _sign_in(tab: Any, address: str, login: str, password: str) -> None:
    tab.goto(f"{address}/sign-in")
    tab.fill("#login", login)
    tab.fill("#password", password)
    tab.locator("main form button").first.click()
    tab.wait_for_url(lambda url: not url.endswith("/sign-in"))


def _patient(tab: Any, address: str) -> str:
    """Return the way to the second patient of the list."""
    tab.goto(f"{address}/trials/{TRIAL}")
    found: str = tab.locator("tbody th a").nth(1).get_attribute("href")
    return found


if __name__ == "__main__":
    main()
