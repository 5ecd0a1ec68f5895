"""The job `init`: write a configuration in which everything is explained and nothing is set."""

from pathlib import Path

from cohortfinder.errors import InputError
from cohortfinder.resources import package_text


def write_configuration(file: Path) -> None:
    """Write the configuration, never over one that is there.

    Raises InputError when there is one.
    """
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(package_text("configuration.toml"))
    except FileExistsError:
        raise InputError(f"{file} is there already and stays as it is; name another file with --config") from None
