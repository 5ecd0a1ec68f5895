"""The command `accounts`."""

import sys
from pathlib import Path

import click

from cohortfinder.cli.console import print_table
from cohortfinder.cli.options import settings_of
from cohortfinder.errors import UsageError
from cohortfinder.jobs.accounts import activate, add, everybody, grant, is_published, reset
from cohortfinder.review.access.roles import Role
from cohortfinder.settings import Settings

NOTHING = "none"
_ROLES = [*(role.value for role in Role), NOTHING]


@click.command("accounts")
@click.argument("action", type=click.Choice(["list", "add", "grant", "password", "deactivate", "activate"]))
@click.argument("login", required=False)
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
    action: str, login: str | None, name: str | None, administrator: bool, trial: str | None, role: str | None,
    password_stdin: bool, store: Path | None, config: Path | None, debug: bool,
) -> int:  # fmt: skip
    """List the accounts of the review application, add one, give it a role in a trial or another password, or end it.

    Whoever signs in with a password that somebody else has set is asked for a new one at once.
    """
    settings = settings_of(config, store)

    def ask() -> str:
        if password_stdin:
            return sys.stdin.readline().rstrip("\n")
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return password

    if action == "list":
        _print_all(settings)
        return 0
    if not login:
        raise UsageError(f"accounts {action} needs the login: cohortfinder accounts {action} LOGIN")
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
        if role != NOTHING and not is_published(settings, trial):
            click.echo(f"{trial} is not on the list that holds; check the id where it should be", err=True)
    elif action == "password":
        reset(settings, login, ask)
        click.echo(f"{login} has a new password, and is asked to change it")
    else:
        activate(settings, login, action == "activate")
        click.echo(f"{login} can sign in again" if action == "activate" else f"{login} cannot sign in any more")
    return 0


def _print_all(settings: Settings) -> None:
    print_table(
        ("login", "name", "may sign in", "administrator", "roles"),
        (
            (
                one.login, one.name, "yes" if one.active else "no", "yes" if one.administrator else "no",
                ", ".join(f"{trial}: {role.value}" for trial, role in sorted(one.roles.items())),
            )
            for one in everybody(settings)
        ),
    )  # fmt: skip
