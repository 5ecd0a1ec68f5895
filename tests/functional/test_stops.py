"""SIGTERM and Ctrl-C while DuckDB runs a query end a command as they do at any other moment."""

import signal
import subprocess
import sys

import pytest

# a command that says when it is about to ask something that takes long
LONG = """
import sys, types
import click, duckdb
from cohortfinder.cli import main
@click.command("long")
def long():
    print("asking", flush=True)
    # DuckDB looks for signals between the tasks of the thread that asks; with others it may have none to do
    duckdb.connect(config={"threads": 1}).execute("SELECT sum(a.range * b.range) FROM range(1000000) AS a, range(1000000) AS b").fetchall()
main.COMMANDS["long"] = "Ask long."
sys.modules["cohortfinder.cli.long"] = types.SimpleNamespace(command=long)
sys.argv = ["cohortfinder", "long"]
main.run()
"""


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_in_a_query_ends_the_command_with_its_status(sent: signal.Signals, status: int) -> None:
    # what a shell runs in the background is deaf to SIGINT, and so are its children
    was = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with subprocess.Popen([sys.executable, "-c", LONG], stdout=-1, stderr=-1, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "asking\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.5)
            process.send_signal(sent)
            try:
                _, err = process.communicate(timeout=60)
            finally:
                process.kill()
    finally:
        signal.signal(signal.SIGINT, was)
    assert (process.returncode, err) == (status, "")
