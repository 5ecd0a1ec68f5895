"""A real PostgreSQL for tests: initdb of the system, on a socket in a folder, not as root."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

import psycopg
import pytest
from sqlalchemy import make_url

_USER = "postgres"


@contextmanager
def serving_postgresql() -> Iterator[Path]:
    """Yield the folder of the socket of a server with an empty database `postgres`; skip where there is none."""
    initdb, server = _program("initdb"), _program("postgres")
    if initdb is None or server is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    as_root = os.geteuid() == 0
    prefix = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"] if as_root else []
    # a short path: that of a socket has 107 bytes
    with TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        place = Path(folder)
        if as_root:
            shutil.chown(place, _USER, _USER)
        data = place / "data"
        made = [*prefix, initdb, "-D", str(data), "-U", _USER, "--auth=trust", "--no-sync", "--encoding=UTF8"]
        subprocess.run(made, check=True, capture_output=True)
        command = [*prefix, server, "-D", str(data), "-k", str(place), "-c", "listen_addresses=", "-c", "fsync=off"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stderr is not None
                lines = []
                for line in process.stderr:
                    lines.append(line)
                    if "ready to accept connections" in line:
                        break
                else:
                    raise AssertionError("".join(lines))
                yield place
            finally:
                # fast shutdown: it does not wait for clients
                process.send_signal(2)
                process.wait(30)


def new_postgresql_database(place: Path, copy_of: str | None = None) -> str:
    """Make a database in the server of a socket, empty or as another one is, which nobody uses then; its address."""
    name = f"review_{token_hex(6)}"
    template = f" TEMPLATE {make_url(copy_of).database}" if copy_of else ""
    with psycopg.connect(f"host={place} user=postgres dbname=postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}{template}")
    return f"postgresql+psycopg://postgres@/{name}?host={place}"


def _program(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)
