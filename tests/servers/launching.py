"""Starting a real HAPI FHIR R4 server on this machine, for tests and benchmarks."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RECIPE = Path(__file__).parent / "hapi"
OIDC_RECIPE = Path(__file__).parent / "oauth" / "package.json"
_INSTALL_SECONDS = 300
_BUILD_SECONDS = 900
_START_SECONDS = 400


class CannotRunError(Exception):
    """What is missing to run the server, in one line."""


@contextmanager
def hapi_server(scratch: Path, memory: str = "1g") -> Iterator[str]:
    """Build and start HAPI without data and yield its address. Raises CannotRunError."""
    missing = [name for name in ("java", "mvn") if shutil.which(name) is None]
    if missing:
        raise CannotRunError(f"a real HAPI FHIR server needs {' and '.join(missing)} on the path")
    folder = shutil.copytree(RECIPE, scratch / "hapi")
    built = subprocess.run(
        ["mvn", "-q", "-B", "package", "dependency:build-classpath", "-Dmdep.outputFile=classpath.txt"],
        cwd=folder, capture_output=True, text=True, timeout=_BUILD_SECONDS,
    )  # fmt: skip
    if built.returncode:
        raise CannotRunError(f"the HAPI FHIR server cannot be built: {built.stdout.strip().splitlines()[0]}")
    classpath = f"target/hapi-r4-1.jar:{(folder / 'classpath.txt').read_text()}"
    # C1 alone starts in half the time
    command = ["java", f"-Xmx{memory}", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
    with started([*command, "-cp", classpath, "HapiR4"], folder, _START_SECONDS) as address:
        yield address


def install_oidc_provider(folder: Path) -> None:
    """Install oidc-provider from its registry beside the server.mjs of a folder. Raises CannotRunError."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        raise CannotRunError(f"a real OpenID provider needs {' and '.join(missing)} on the path")
    shutil.copy(OIDC_RECIPE, folder)
    command = ["npm", "install", "--no-audit", "--no-fund"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    if built.returncode:
        said = (built.stderr.strip() or built.stdout).splitlines()[-1]
        raise CannotRunError(f"oidc-provider cannot be installed: {said}")


@contextmanager
def started(command: list[str], folder: Path, seconds: float) -> Iterator[str]:
    """Start a server that prints READY and its address when it listens; yield the address. Raises RuntimeError."""
    log = folder / "log.txt"
    with log.open("w") as written:
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=written, text=True)
    assert server.stdout is not None
    # what it says after that it is ready must not fill the pipe
    rest = threading.Thread(target=server.stdout.read, daemon=True)
    try:
        address = _address(server, log, seconds)
        rest.start()
        yield address
    finally:
        server.terminate()
        server.wait(timeout=60)
        if rest.ident is not None:
            rest.join()
        server.stdout.close()


def _address(server: "subprocess.Popen[str]", log: Path, seconds: float) -> str:
    """Wait until the server listens."""
    assert server.stdout is not None
    timer = threading.Timer(seconds, server.kill)
    timer.start()
    try:
        for line in server.stdout:
            if line.startswith("READY "):
                return line.split()[1]
    finally:
        timer.cancel()
    raise RuntimeError(f"the server did not start within {seconds:g} s: {log.read_text()[-2000:]}")
