"""What a store leaves on the disk is its owner's alone, and a query reaches no file and no network beyond it."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cohortfinder.jobs.load import load
from cohortfinder.warehouse.connection import open_warehouse
from functional.test_load import SAMPLES, observation, write

PASSWD = "/etc/passwd"
REFUSED = (
    f"SELECT * FROM read_text('{PASSWD}')",
    f"SELECT * FROM read_csv('{PASSWD}')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM '/etc/passwd.csv'",
    "COPY (SELECT 1) TO '/tmp/cohortfinder-must-not-be-written.csv'",
    "ATTACH '/tmp/cohortfinder-must-not-be-written.duckdb'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SELECT * FROM 'https://example.org/x.parquet'",
    "SELECT * FROM 'list.xlsx'",
    "SET enable_external_access = TRUE",
    "SET allowed_directories = ['/']",
    "SET lock_configuration = FALSE",
    "SET autoinstall_known_extensions = TRUE",
    "SET memory_limit = '100GB'",
    "SET temp_directory = '/tmp'",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("confined") / "store"
    load(sorted(SAMPLES.glob("ss-*.json")), folder)
    return folder


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("query", REFUSED)
def test_a_query_reaches_nothing_beyond_the_store(store: Path, query: str, read_only: bool) -> None:
    with (
        open_warehouse(store, read_only=read_only) as connection,
        pytest.raises(
            duckdb.Error, match=r"(?i)disabled|locked|not allowed|cannot (access|change)|configuration|does not exist"
        ),
    ):
        connection.cursor().execute(query)
    assert not list(Path("/tmp").glob("cohortfinder-must-not-be-written*"))


def test_a_link_in_the_store_leads_nowhere(store: Path) -> None:
    (store / "spill" / "link").symlink_to(PASSWD)
    try:
        with open_warehouse(store, read_only=True) as connection, pytest.raises(duckdb.Error, match="disabled"):
            connection.execute("SELECT * FROM read_text($file)", {"file": str(store / "spill" / "link")})
    finally:
        (store / "spill" / "link").unlink()


# what the kernel saw: DuckDB opens its sockets without Python
@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="needs Linux")
def test_nobody_listens_to_a_download(store: Path) -> None:
    """A proxy that would see an attempt to fetch an extension sees none."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.settimeout(0.5)
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        code = (
            "import sys; from pathlib import Path; from cohortfinder.warehouse.connection import open_warehouse\n"
            "with open_warehouse(Path(sys.argv[1]), read_only=True) as connection:\n"
            "    for query in sys.argv[2:]:\n"
            "        try: connection.execute(query)\n"
            "        except Exception as error: print(type(error).__name__)\n"
            "        else: sys.exit('it went through: ' + query)\n"
        )
        asked = ["INSTALL excel", "LOAD excel", "SELECT * FROM 'x.xlsx'", "ATTACH 'sqlite:x.db'"]
        asked += [f"SELECT * FROM '{address}/x.parquet'", f"INSTALL httpfs FROM '{address}'"]
        environment = {**os.environ, "http_proxy": address, "HTTP_PROXY": address}
        done = subprocess.run(
            [sys.executable, "-c", code, str(store), *asked], env=environment, capture_output=True, text=True
        )
        assert (done.returncode, len(done.stdout.split())) == (0, len(asked)), done.stderr
        with pytest.raises(TimeoutError):
            proxy.accept()


@pytest.mark.parametrize(
    "hostile",
    [PASSWD, "'; ATTACH '/etc/passwd'; --", "read_text('/etc/passwd')", "../../../etc/passwd", "$(cat /etc/passwd)"],
)
def test_what_a_user_names_reads_no_file(
    tmp_path: Path, store: Path, run: Callable[..., Any], no_network: None, hostile: str
) -> None:
    """Trial, criterion, patient id and answers with the name of a file, or with SQL in them."""
    (tmp_path / "answers.csv").write_text(
        f'patient_id,arm,criterion_id,answer,by,at,note\n"{hostile}",SSC,I-01,yes,"{hostile}",2026-11-01,"{hostile}"\n'
    )
    secret = Path(PASSWD).read_text().splitlines()[0]
    for command in (
        ("screen", hostile),
        ("explain", "NCT06983964", hostile),
        ("sql", "NCT06983964", hostile),
        ("whatif", "NCT06983964", hostile),
        ("describe", hostile),
        ("screen", "NCT06983964", "--answers", tmp_path / "answers.csv"),
    ):
        done = run(*command, *(() if command[0] == "describe" else ("--store", store)))
        assert secret not in done.out + done.err
        assert done.status in (2, 3, 64), (command, done)


def test_a_store_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever umask the user has: of each file and folder in the store and beside it."""
    store, out = tmp_path / "store", tmp_path / "out"
    write(tmp_path / "o.ndjson", observation("o", 1, 1), {"resourceType": "Observation"})
    command = f"umask 000; {sys.executable} -m cohortfinder"
    done = subprocess.run(
        f"{command} load {tmp_path / 'o.ndjson'} {SAMPLES / 'ss-typical.json'} --store {store}; "
        f"{command} screen NCT06983964 --store {store} --out {out}",
        shell=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    found = [*store.rglob("*"), store, *out.rglob("*"), out]
    assert len(found) > 30
    for path in found:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_what_a_killed_query_has_spilled_is_cleared_by_the_next_load(tmp_path: Path, store: Path) -> None:
    (store / "spill" / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"a patient's data")
    (store / "spill" / "tmpabc").mkdir()
    (store / "spill" / "tmpabc" / "rows.ndjson").write_text("{}")
    load([write(tmp_path / "o.ndjson", observation("o", 1, 1))], store)
    assert list((store / "spill").iterdir()) == []


def test_what_is_spilled_is_in_the_store_and_bounded_by_half_of_what_is_free(store: Path) -> None:
    free = shutil.disk_usage(store).free
    with open_warehouse(store, read_only=True, memory_limit="60MB", threads=1) as connection:
        (folder,) = connection.execute("SELECT current_setting('temp_directory')").fetchone() or ("",)
        (limit,) = connection.execute("SELECT current_setting('max_temp_directory_size')").fetchone() or ("",)
    number, unit = limit.split()
    size = float(number) * {"MiB": 2**20, "GiB": 2**30, "TiB": 2**40}[unit]
    assert (folder, size == pytest.approx(free / 2, rel=0.2)) == (str(store / "spill"), True)


def test_too_little_memory_is_told_as_a_setting(store: Path, run: Callable[..., Any], tmp_path: Path) -> None:
    config = tmp_path / "small.toml"
    config.write_text(f'store = "{store}"\nmemory_limit = "1MB"\nthreads = 1\n', encoding="utf-8")
    done = run("screen", "T2D-EXAMPLE", "--config", config, "--as-of", "2026-11-20")
    assert done.status == 78
    assert "memory_limit of the configuration is too small" in done.err


def test_threads_of_one_process_open_a_store_side_by_side(store: Path, tmp_path: Path) -> None:
    """A pull does, while the disk fills; connections to one file share their settings, which are locked once."""

    def people(number: int) -> int:
        (tmp_path / str(number)).write_bytes(bytes(4 * 2**20))
        with open_warehouse(store, read_only=True) as connection:
            (count,) = connection.execute("SELECT count(*) FROM patient").fetchone() or (0,)
            with pytest.raises(duckdb.Error):
                connection.execute("SELECT * FROM read_text('/etc/passwd')")
        return int(count)

    with ThreadPoolExecutor(8) as pool:
        assert len({*pool.map(people, range(64))}) == 1
