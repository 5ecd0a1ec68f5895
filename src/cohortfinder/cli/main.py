"""The command `cohortfinder`: arguments in, one exit status out; the only place that catches errors."""

import importlib
import os
import sys
import traceback
from typing import NoReturn

import click

from cohortfinder import __version__
from cohortfinder.cli.logs import LOGS
from cohortfinder.errors import CohortFinderError, Terminated
from cohortfinder.settings import LOG_FORMATS
from cohortfinder.stops import heed_signals, stops_told

COMMANDS = {
    "accounts": "List and add accounts of the review application, and give them roles in trials.",
    "audit": "Check the audit log of the review application, or write it out.",
    "check": "Say whether a trial file is right, with file, line and the nearest valid word.",
    "compact": "Merge old loads: landing without what was superseded, as far as no kept list needs it.",
    "demo": "Screen the invented sample patients: no configuration, no network.",
    "describe": "Tell a trial in plain English, and what of it is computed.",
    "diff": "Tell who entered, left or moved between two runs, and why.",
    "doctor": "Look at the connection to the FHIR server, and say what it can do and what is wrong.",
    "dummy": "Invent patients who meet, just miss or leave open each criterion of a trial.",
    "erase": "Remove one patient from everything in the store, for good.",
    "expand": "Ask a terminology server what lies below the codes of the concepts, and keep it.",
    "explain": "Show every criterion of one patient with its evidence, or why the patient is not listed.",
    "export": "Write what may leave the site: rows under pseudonyms, counts without small numbers.",
    "init": "Write a configuration with all that can be set, explained.",
    "keys": "Make or change the key pair with which the program says who asks, or make the key of pseudonyms.",
    "load": "Read FHIR files into the store.",
    "merge-counts": "Add up the counts that several sites have shared of a trial.",
    "nightly": "Pull, screen every configured trial, compare with the last list, and publish.",
    "pull": "Bring what changed on the FHIR server into the store.",
    "purge": "Remove what has lain in the store longer than it may.",
    "replay": "Evaluate a past run again from what it was made of, and prove that its list is the same.",
    "review": "Serve the published lists to the study teams, who answer, decide and write notes.",
    "rollback": "Return to an earlier published list, or tell which are kept.",
    "rebuild": "Make the tables of a store anew from its landing files.",
    "screen": "Evaluate a trial and rank the patients who could join it.",
    "sql": "Print the SQL that runs for a trial.",
    "status": "Tell what is loaded, from when, and how complete.",
    "test": "Compare the verdicts of invented patients beside a trial with those that they expect.",
    "verify": "Check that the store is what the last run left.",
    "view": "Run one SQL on FHIR ViewDefinition over FHIR files.",
    "whatif": "Tell how many candidates another number in a criterion would give.",
}


class LazyGroup(click.Group):
    """A group that imports the module of a command only when that command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"cohortfinder.cli.{cmd_name.replace('-', '_')}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"cohortfinder.cli.{cmd_name}.command is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cohortfinder")
@click.option(
    "--log-format", type=click.Choice(LOG_FORMATS), envvar="COHORTFINDER_LOG_FORMAT", expose_value=False,
    callback=lambda context, option, form: LOGS.begin(form),
    help="What stands on standard error: sentences, or one JSON object a line.",
)  # fmt: skip
@click.pass_context
def application(context: click.Context) -> None:
    """Find the patients who could join a clinical trial, over FHIR R4 data, with the reasons."""
    LOGS.of_command(context.invoked_subcommand)


def run() -> NoReturn:
    """Run the command line of this process and exit with its status."""
    heed_signals()
    # what is written holds patients' data: files 0600 and folders 0700, whatever writes them
    os.umask(0o077)
    sys.exit(status_of(sys.argv[1:]))


def status_of(arguments: list[str]) -> int:
    """Run a command line and return its exit status; errors are told in one sentence on standard error."""
    LOGS.begin(None)
    try:
        with stops_told():
            result = application.main(arguments, prog_name="cohortfinder", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) went away: nothing more to say, and Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, click.Abort):
        return 130
    except Terminated:
        return 143
    except Exception as error:
        return _tell(error, debug="--debug" in arguments)
    return result if isinstance(result, int) else 0


def _tell(error: Exception, *, debug: bool) -> int:
    """Say what went wrong, and return the exit status of it."""
    found = "".join(traceback.format_exception(error)) if debug else None
    if found and not LOGS.as_json:
        click.echo(found, nl=False, err=True)
    if isinstance(error, click.ClickException) and not LOGS.as_json:
        error.show()
        return error.exit_code
    message, status = _told(error, debug=debug)
    said = message if LOGS.as_json else f"cohortfinder: {message}"
    LOGS.say(said, level="error", exit_status=status, traceback=found)
    return status


def _told(error: Exception, *, debug: bool) -> tuple[str, int]:
    """Return the sentence about an error and its exit status."""
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if isinstance(error, CohortFinderError):
        return str(error), error.exit_status
    if isinstance(error, OSError):
        place = f" at {error.filename}" if error.filename else ""
        return f"cannot read or write{place}: {error.strerror}; check its permissions and space", 74
    hint = "" if debug else "; run again with --debug to see where"
    return f"unexpected failure ({type(error).__name__}){hint}", 1
