"""Where the folders that ship with the program are: beside the package in a wheel, beside `src/` in a checkout."""

from pathlib import Path

from cohortfinder.errors import StoreError

_PACKAGE = Path(__file__).resolve().parent


def resource_dir(name: str) -> Path:
    """Return the folder `name` (queries, mappings, trials, sample_bundles).

    Raises StoreError when neither the wheel nor the checkout holds it.
    """
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent.parent / name):
        if candidate.is_dir():
            return candidate
    raise StoreError(f"the program's own folder {name!r} is missing; install cohortfinder again")


def package_text(name: str) -> str:
    """Return a text file that belongs to the package itself.

    Raises StoreError when it is missing.
    """
    try:
        return (_PACKAGE / name).read_text(encoding="utf-8")
    except OSError as error:
        raise StoreError(f"the program's own file {name!r} is missing; install cohortfinder again") from error
