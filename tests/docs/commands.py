"""The reference of the commands, told by the commands themselves: `python -m tests.docs.commands` writes it."""

from inspect import cleandoc
from pathlib import Path

import click

from cohortfinder.cli.main import application
from cohortfinder.errors import CohortFinderError
from cohortfinder.jobs.test import DIFFERENT

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"
_HEAD = """\
# The commands

Written by `python -m tests.docs.commands` from the program itself; a test fails when it is not current.

Results go to standard output, progress to standard error. `cohortfinder --help` and `cohortfinder COMMAND --help` say the
same as this page.
"""
_BEFORE = "Before the name of a command may stand, as in `cohortfinder --log-format json pull`:\n"


def page() -> str:
    """Return the page as Markdown."""
    with application.make_context("cohortfinder", [], resilient_parsing=True) as top:
        chapters = [_chapter(name, top) for name in application.list_commands(top)]
        before = _options(application, top)
    return "\n".join([_HEAD, _BEFORE, *before, *chapters, _statuses()])


def _chapter(name: str, top: click.Context) -> str:
    command = application.get_command(top, name)
    assert command is not None
    context = click.Context(command, info_name=name, parent=top)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"## {name}\n", f"{cleandoc(command.help or '')}\n", "```", f"cohortfinder {name} {usage}", "```\n"]
    return "\n".join([*lines, *_options(command, context)])


def _options(command: click.Command, context: click.Context) -> list[str]:
    options = [one for one in command.params if isinstance(one, click.Option)]
    rows = [f"| `{_one_line(declared)}` | {_one_line(told)} |" for declared, told in _records(options, context)]
    return ["| option | |", "| --- | --- |", *rows, ""]


def _records(options: list[click.Option], context: click.Context) -> list[tuple[str, str]]:
    return [record for record in (option.get_help_record(context) for option in options) if record]


def _statuses() -> str:
    found = {
        0: "Done.",
        3: "Done in part: something was put aside or is known to be incomplete; the summary says what.",
        DIFFERENT: "A case of a trial got another verdict than it expects (`test`).",
    }
    # what a package raises for itself alone is no error of a user
    told = [one for one in CohortFinderError.__subclasses__() if one.__module__ == CohortFinderError.__module__]
    for error in (CohortFinderError, *told):
        said = "An unexpected failure, a bug." if error is CohortFinderError else _one_line(str(error.__doc__))
        earlier = found.get(error.exit_status)
        found[error.exit_status] = f"{earlier} Or: {said}" if earlier else said
    rows = [f"| {status} | {said} |" for status, said in sorted(found.items())]
    rows.append("| 130, 143 | Ended by a signal: Ctrl-C, SIGTERM. |")
    return "\n".join(["## Exit statuses\n", "| status | |", "| --- | --- |", *rows, ""])


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
