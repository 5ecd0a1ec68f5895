"""The examples that start the night: each as far as this machine can try it."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path
from typing import Any

from functional.test_nightly import Nights
from functional.test_pull import condition, patient

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAM, CONFIG = "/opt/cohortfinder/bin/cohortfinder", "/etc/cohortfinder/cohortfinder.toml"
SERVICE, TIMER = (EXAMPLES / "systemd" / f"cohortfinder-nightly.{kind}" for kind in ("service", "timer"))


class Unit(ConfigParser):
    """A unit file: names in their case, a name twice as two lines."""

    def __init__(self, file: Path) -> None:
        super().__init__(strict=False, interpolation=None, delimiters=("=",))
        self.optionxform = str  # type: ignore[assignment,method-assign]
        self.read(file)


def test_the_service_is_kept_in_and_tries_again_only_where_that_can_help() -> None:
    service = Unit(SERVICE)["Service"]
    assert service["ExecStart"] == f"{PROGRAM} --log-format json nightly --config {CONFIG}"
    told = {name: service[name] for name in ("UMask", "ProtectSystem", "PrivateTmp", "NoNewPrivileges", "Type")}
    assert told == {
        "UMask": "0077",
        "ProtectSystem": "strict",
        "PrivateTmp": "yes",
        "NoNewPrivileges": "yes",
        "Type": "oneshot",
    }
    statuses = {1, 2, 64, 65, 69, 74, 75, 76, 77, 78}
    assert statuses - {int(one) for one in service["RestartPreventExitStatus"].split()} == {69, 75}
    timer = Unit(TIMER)["Timer"]
    assert (timer["Persistent"], timer["RandomizedDelaySec"]) == ("yes", "15min")


def test_systemd_accepts_both_files_and_finds_the_service_well_kept_in(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        # without systemd the test above is all that can be said; docs/how-to/schedule.md says so
        return
    for file in (SERVICE, TIMER):
        text = file.read_text(encoding="utf-8").replace(PROGRAM, sys.executable)
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    units = [tmp_path / file.name for file in (SERVICE, TIMER)]
    verified = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    command = [analyze, "security", "--no-pager", "--offline=true", "--threshold=20", units[0]]
    rated = subprocess.run(command, capture_output=True, text=True, check=False)
    assert rated.returncode == 0, rated.stdout[-400:]


def cron_line() -> tuple[list[str], str, str]:
    """The fields of time, the user and the command of the only line that is one."""
    text = (EXAMPLES / "cron" / "cohortfinder").read_text(encoding="utf-8")
    (line,) = [one for one in text.splitlines() if one and not one.startswith("#") and not re.match(r"[A-Z]+=", one)]
    *fields, user, command = line.split(maxsplit=6)
    return fields, user, command


def test_the_line_of_cron_has_the_form_of_a_crontab_of_the_system() -> None:
    fields, user, command = cron_line()
    assert all(re.fullmatch(r"\*|\d{1,2}", field) for field in fields)
    assert (len(fields), user) == (5, "cohortfinder")
    assert "%" not in command


def test_the_line_of_cron_prints_only_what_somebody_must_read(tmp_path: Path, run: Callable[..., Any]) -> None:
    nights = Nights(tmp_path, run)
    nights.load(patient("a"), condition("c", "a"))
    command = cron_line()[2].replace("/var/lib/cohortfinder", str(tmp_path)).replace(CONFIG, str(nights.config))
    command = command.replace(PROGRAM, f"{sys.executable} -m cohortfinder")

    def printed(more: str = "") -> tuple[int, str]:
        given = command.replace(" nightly ", f" nightly {more} ", 1)
        done = subprocess.run(["/bin/sh", "-c", given], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    assert printed() == (0, "")
    # of an earlier day: refused
    assert printed("--as-of 2026-01-01") == (
        0, "cohortfinder nightly ended with status 65; see nightly.log and cohortfinder status\n",
    )  # fmt: skip
    # something is put aside: published in part
    nights.load(patient("b"), {**patient("bad"), "deceasedBoolean": "text"})
    assert printed() == (0, "")
    assert '"level":"info"' in (tmp_path / "nightly.log").read_text(encoding="utf-8")
    assert (tmp_path / "nightly.out").stat().st_mode & 0o777 == 0o600


def test_the_dag_runs_the_night_alone_and_makes_up_for_no_past_one() -> None:
    tree = ast.parse((EXAMPLES / "airflow" / "cohortfinder_nightly.py").read_text(encoding="utf-8"))
    values = {
        one.targets[0].id: one.value
        for one in tree.body
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
    }
    assert ast.literal_eval(values["COMMAND"]) == [PROGRAM, "--log-format", "json", "nightly", "--config", CONFIG]
    assert (ast.literal_eval(values["PUBLISHED"]), ast.literal_eval(values["LATER"])) == ((0, 3), (69, 75))
    (function,) = [one for one in tree.body if isinstance(one, ast.FunctionDef)]
    (decorator,) = [one for one in function.decorator_list if isinstance(one, ast.Call)]
    given = {one.arg: one.value for one in decorator.keywords}
    assert (ast.literal_eval(given["catchup"]), ast.literal_eval(given["max_active_runs"])) == (False, 1)
