"""What commands say on standard error while they work: sentences, or one JSON object a line for a log collector."""

import sys
from datetime import UTC, datetime

import click
import orjson

from cohortfinder.settings import LOG_FORMATS


class Logs:
    """The log of one command line. What the command line says of its form wins over the configuration."""

    def __init__(self) -> None:
        self.begin(None)

    def begin(self, form: str | None) -> None:
        """Begin the log of a command line; `form` is what it asks for, None where it does not."""
        self._form, self._asked = form or LOG_FORMATS[0], form is not None
        self._command: str | None = None
        self._run_id: str | None = None

    def configured(self, form: str) -> None:
        """Take the form that the configuration asks for, unless the command line asks for one."""
        if not self._asked:
            self._form = form

    def of_command(self, name: str | None) -> None:
        """Name the command in every line from now on."""
        self._command = name

    def of_run(self, run_id: str) -> None:
        """Name a run in every line from now on."""
        self._run_id = run_id

    @property
    def as_json(self) -> bool:
        """Whether each line is an object, so that nothing else may stand between them."""
        return self._form == "json"

    @property
    def moves(self) -> bool:
        """Whether somebody looks, so that a line may be drawn over the one before."""
        return not self.as_json and sys.stderr.isatty()

    def say(self, message: str, *, level: str = "info", **more: object) -> None:
        """Say one thing; `more` stands in the object alone."""
        click.echo(self._line(message, level, more) if self.as_json else message, err=True)

    def _line(self, message: str, level: str, more: dict[str, object]) -> str:
        about = {"command": self._command, "run_id": self._run_id, **more}
        known = {name: value for name, value in about.items() if value is not None}
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return orjson.dumps({"time": now, "level": level, "message": message, **known}, default=str).decode()


# one command line runs in a process at a time
LOGS = Logs()
