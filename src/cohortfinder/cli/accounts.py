"""The command `accounts`."""

import sys
from pathlib import Path

import click

from cohortfinder.cli.options import settings_of
from cohortfinder.errors import UsageError
from cohortfinder.jobs.accounts import add, grant, reset
from cohortfinder.review.access.roles import Role

NOTHING = "none"
_ROLES = [*(role.value for role in Role), NOTHING]


@click.command("accounts")
@click.argument("action", type=click.Choice(["add", "grant", "password"]))
@click.argument("login")
@click.option("--name", help="The name of the person; of a new account.")
@click.option("--administrator", is_flag=True, help="Of a new account: may give roles, and read the audit log.")
@click.option("--trial", help="The trial in which the account is to have a role.")
@click.option("--role", type=click.Choice(_ROLES), help="The role in the trial; `none` takes it away.")
@click.option(
    "--password-stdin", is_flag=True, help="Take the password from standard input, for scripts; else it is asked for."
)
@click.option("--store", type=click.Path(path_type=Path), help="The folder of the store.")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration, a TOML file.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(
    action: str, login: str, name: str | None, administrator: bool, trial: str | None, role: str | None,
    password_stdin: bool, store: Path | None, config: Path | None, debug: bool,
) -> int:  # fmt: skip
    """Add a local account of the review application, give it a role in a trial, or another password.

    Whoever signs in with a password that somebody else has set is asked for a new one at once.
    """
    settings = settings_of(config, store)

    def ask() -> str:
        if password_stdin:
            return sys.stdin.readline().rstrip("\n")
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return password

    if action == "add":
        if not name:
            raise UsageError("accounts add needs --name, the name of the person")
        add(settings, login, name, ask(), administrator=administrator)
        click.echo(
            f"{login} can sign in; give a role: cohortfinder accounts grant {login} --trial ID --role coordinator"
        )
    elif action == "grant":
        if not trial or not role:
            raise UsageError("accounts grant needs --trial and --role")
        grant(settings, login, trial, None if role == NOTHING else Role(role))
        click.echo(f"{login} is {role} in {trial}" if role != NOTHING else f"{login} has no role in {trial} any more")
    else:
        reset(settings, login, ask)
        click.echo(f"{login} has a new password, and is asked to change it")
    return 0
