"""The command `keys`."""

from datetime import UTC, datetime
from pathlib import Path

import click

from cohortfinder.cli.console import print_json
from cohortfinder.cli.options import settings_of
from cohortfinder.fhir.keys import ALGORITHMS
from cohortfinder.jobs.keys import generate_keys, private_file, rotate_keys
from cohortfinder.report.pseudonyms import make_key

PUBLIC = "public.jwks"


@click.command("keys")
@click.argument("action", type=click.Choice(["generate", "rotate", "pseudonyms"]))
@click.option(
    "--private", type=click.Path(path_type=Path),
    help="The file of the private key; default smart_key_file of the configuration, else private.jwks; "
    "of pseudonyms pseudonyms.key.",
)  # fmt: skip
@click.option(
    "--public", type=click.Path(path_type=Path),
    help=f"The file of the public key; default {PUBLIC} beside the private one.",
)  # fmt: skip
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default="ES384", show_default=True, help="Of a new pair.")
@click.option("--config", type=click.Path(path_type=Path), help="The configuration, a TOML file.")
@click.option("--json", "as_json", is_flag=True, help="Print one summary object.")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def command(
    action: str, private: Path | None, public: Path | None, algorithm: str, config: Path | None, as_json: bool,
    debug: bool,
) -> None:  # fmt: skip
    """Make the keys for SMART Backend Services: `generate` a first pair, or `rotate` to a new one.

    The private file is for this program alone, the public one for the team of the FHIR server. After `rotate` both hold
    the new and the old key; the old one is used until the server knows the new one.

    `pseudonyms` makes another key, for `cohortfinder export` and `load --parquet`. Keep a copy: with another one every
    pseudonym changes.
    """
    if action == "pseudonyms":
        _make_pseudonym_key(private or Path("pseudonyms.key"), as_json=as_json)
        return
    file = private or private_file(settings_of(config, None))
    target, now = public or file.with_name(PUBLIC), datetime.now(UTC)
    pair = (
        generate_keys(file, target, algorithm, now=now) if action == "generate" else rotate_keys(file, target, now=now)
    )
    if as_json:
        print_json({"private": pair.private, "public": pair.public, "kids": pair.kids})
        return
    click.echo(f"{pair.private}: the private key {pair.kids[0]}; name it as smart_key_file under [fhir]")
    click.echo(f"{pair.public}: the public key; give this file to the team of the FHIR server")


def _make_pseudonym_key(file: Path, *, as_json: bool) -> None:
    make_key(file)
    if as_json:
        print_json({"private": file})
        return
    click.echo(
        f"{file}: the key of the pseudonyms; name it as --key of export or load --parquet, and keep a copy of it"
    )
