"""The review application in real Chromium: `cohortfinder review --demo` as a process of its own, and people who look at it."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from people import START_SECONDS, Person, Site
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

CHROMIUM = os.environ.get("COHORTFINDER_CHROMIUM") or shutil.which("chromium") or ""
AXE = "axe-core@4.14.1"
# as root it has no sandbox; the others keep it from asking hosts of its maker
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync")  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The application as `make review` starts it."""
    folder = tmp_path_factory.mktemp("review")
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    log = folder / "log.txt"
    command = [
        sys.executable,
        "-m",
        "cohortfinder",
        "review",
        "--demo",
        "--store",
        str(folder / "store"),
        "--listen",
        listen,
    ]
    with log.open("w") as written:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=written, text=True, cwd=folder)
    assert server.stdout is not None
    try:
        said = re.search(r"login (\S+), password (\S+)", server.stdout.readline())
        assert said, log.read_text()[-2000:]
        _wait_until_it_listens(listen, server)
        config = folder / "site.toml"
        config.write_text(f'store = "{folder / "store"}"\ntrials = ["NCT06983964"]\n')
        yield Site(f"http://{listen}", folder / "store", said[1], said[2], config)
    finally:
        server.terminate()
        server.wait(timeout=60)
        server.stdout.close()


def _wait_until_it_listens(listen: str, server: "subprocess.Popen[str]") -> None:
    host, _, port = listen.partition(":")
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"nothing listens at {listen}")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium."""
    if not CHROMIUM:
        pytest.skip(
            "the tests in a browser need Chromium: apt-get install chromium, or name it in COHORTFINDER_CHROMIUM"
        )
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*_FLAGS])
    yield browser
    browser.close()


@pytest.fixture
def person(chromium: Browser, site: Site) -> Iterator[Callable[..., Person]]:
    """Open windows of people; width in CSS pixels."""
    opened = []

    @contextmanager
    def nothing_foreign(page: Page) -> Iterator[list[str]]:
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield complaints

    def come(width: int = 1280, height: int = 900, **settings: Any) -> Person:
        context = chromium.new_context(viewport={"width": width, "height": height}, **settings)
        opened.append(context)
        page = context.new_page()
        with nothing_foreign(page) as complaints:
            return Person(page, site, complaints)

    yield come
    for context in opened:
        context.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, from its registry."""
    if shutil.which("npm") is None:
        pytest.skip("the tests of accessibility need npm, which brings axe-core: apt-get install npm")
    folder = tmp_path_factory.mktemp("axe")
    subprocess.run(["npm", "pack", "--silent", AXE], cwd=folder, check=True, capture_output=True, timeout=START_SECONDS)
    (packed,) = folder.glob("axe-core-*.tgz")
    with tarfile.open(packed) as archive:
        source = archive.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()


@pytest.fixture
def violations(axe: str) -> Callable[[Page], list[str]]:
    """What WCAG 2.2 AA says against a page, as axe-core finds it."""

    def found(page: Page) -> list[str]:
        # evaluated and not loaded: our policy lets no foreign script in
        page.evaluate(axe)
        result = page.evaluate(
            "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        return [f"{one['id']}: {node['html'][:200]}" for one in result["violations"] for node in one["nodes"]]

    return found
