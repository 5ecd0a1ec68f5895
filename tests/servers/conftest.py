"""Real servers on this machine, built and started once a session; what is missing for it is said in one line."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import requests
from launching import CannotRunError, hapi_server

_START_SECONDS = 400


@pytest.fixture(scope="session")
def hapi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a HAPI FHIR R4 server without data."""
    with ExitStack() as running:
        try:
            address = running.enter_context(hapi_server(tmp_path_factory.mktemp("hapi")))
        except CannotRunError as error:
            pytest.skip(str(error))
        yield address


HELIOS = Path(os.environ.get("COHORTFINDER_HELIOS") or Path.home() / ".cache" / "cohortfinder" / "helios-0.2.7")
_LEFT_OUT = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs Helios where it is not built: building it takes longer than all other tests."""
    if (HELIOS / "bin" / "hfs").is_file():
        return
    without = [item for item in items if "helios" in _servers(item)]
    if without:
        config.hook.pytest_deselected(items=without)
        config.stash[_LEFT_OUT] = len(without)
        items[:] = [item for item in items if item not in without]


def _servers(item: pytest.Item) -> list[object]:
    """Return the fixtures of a test, and what its parameters name."""
    call = getattr(item, "callspec", None)
    return [*getattr(item, "fixturenames", ()), *(call.params.values() if call else ())]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, and how it comes in."""
    if count := config.stash.get(_LEFT_OUT, 0):
        terminalreporter.write_line(f"{count} tests need Helios, which is not built in {HELIOS}: run make test-servers")


@pytest.fixture(scope="session")
def helios(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Helios FHIR server without data, in memory."""
    with helios_server(tmp_path_factory.mktemp("helios")) as address:
        yield address


@pytest.fixture(scope="session")
def start_helios(helios: str) -> Callable[..., AbstractContextManager[str]]:
    """What starts another Helios, with variables of its own."""
    return helios_server


@contextmanager
def helios_server(folder: Path, **variables: str) -> Iterator[str]:
    """Start Helios without data, in memory, and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    told = {
        "HFS_SERVER_HOST": "127.0.0.1", "HFS_SERVER_PORT": str(port), "HFS_BASE_URL": address, "HFS_UI_ENABLED": "false",
        "HFS_DATA_DIR": str(HELIOS / "data"), "HFS_DATABASE_URL": ":memory:", "HFS_LOG_LEVEL": "warn",
        **variables,
    }  # fmt: skip
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(
            [str(HELIOS / "bin" / "hfs")], cwd=folder, env={**os.environ, **told}, stdout=log, stderr=log
        )
    try:
        _wait_for(f"{address}/metadata", server, folder / "log.txt")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=60)


def _wait_for(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(_START_SECONDS * 4):
        with suppress(requests.RequestException):
            if requests.get(url, timeout=5).status_code == 200:
                return
        if server.poll() is not None:
            break
        time.sleep(0.25)
    raise RuntimeError(f"Helios did not start: {log.read_text()[-2000:]}")
