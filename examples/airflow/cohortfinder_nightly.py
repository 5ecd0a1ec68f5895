"""The night as a DAG of Apache Airflow 3: one task, which is tried again only where that can help."""

import subprocess
from datetime import datetime, timedelta

from airflow.exceptions import AirflowFailException
from airflow.sdk import dag, task

COMMAND = [
    "/opt/cohortfinder/bin/cohortfinder", "--log-format", "json", "nightly",
    "--config", "/etc/cohortfinder/cohortfinder.toml",
]  # fmt: skip
# 3: published, but something was put aside or is incomplete
PUBLISHED = (0, 3)
# the server is not there, or somebody asks to come later
LATER = (69, 75)


@dag(
    dag_id="cohortfinder_nightly",
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1),
    # a list of the past is of no use, and two nights at once are refused
    catchup=False,
    max_active_runs=1,
    tags=["cohortfinder"],
)
def nightly() -> None:
    """Pull, screen, compare, publish."""

    @task(retries=3, retry_delay=timedelta(minutes=15), execution_timeout=timedelta(hours=8))
    def night() -> None:
        status = subprocess.run(COMMAND, umask=0o077, check=False).returncode
        if status in LATER:
            raise RuntimeError(f"cohortfinder nightly ended with status {status}; it is tried again")
        if status not in PUBLISHED:
            raise AirflowFailException(f"cohortfinder nightly ended with status {status}; see cohortfinder status")

    night()


nightly()
