"""Patient ids to pseudonyms by a key of the site: the same patient of a trial has the same one in every export."""

import hmac
from base64 import b32encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from cohortfinder.errors import ConfigurationError, InputError
from cohortfinder.report.cells import table
from cohortfinder.report.files import write_private
from cohortfinder.secret import Secret

_KEY_BYTES = 32
# 80 bits: among a million patients two have the same one with a chance below 1 in 10^12
_LETTERS = 16


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Pseudonyms of one trial; those of another trial cannot be laid beside them.

    Without the key nobody can compute one, nor try patient ids until one fits.
    """

    key: bytes = field(repr=False)
    trial: str

    def of(self, patient_id: str) -> str:
        """Return the pseudonym of a patient: 16 letters and digits."""
        # the length of the trial keeps "A" with "B1" apart from "AB" with "1"
        message = f"{len(self.trial)}:{self.trial}{patient_id}".encode("utf-8", "surrogatepass")
        return b32encode(hmac.digest(self.key, message, sha256)).decode()[:_LETTERS]


def require_apart(folder: Path, key: Path, identification: Path | None) -> None:
    """Raise InputError when the key, or who stands behind the pseudonyms, would leave the site with a folder."""
    for file, option in ((key, "--key"), (identification, "--identification")):
        if file is not None and folder.resolve() in file.resolve().parents:
            raise InputError(f"{option}: {file} lies in {folder} and would leave with it; keep it elsewhere")


def write_identification(file: Path, pseudonym_of: Callable[[str], str], patients: Iterable[str]) -> None:
    """Write which patient stands behind each pseudonym, for the site alone: only its owner may read the file."""
    rows = sorted((pseudonym_of(patient), patient) for patient in patients)
    write_private(file, table(("pseudonym", "patient_id"), rows).decode())


def make_key(file: Path) -> None:
    """Write a new key that only its owner may read.

    Raises InputError when there is a file already: with another key every patient has another pseudonym.
    """
    if file.exists():
        raise InputError(f"{file} is there already and stays as it is: a new key would change every pseudonym")
    write_private(file, token_hex(_KEY_BYTES) + "\n")


def read_key(file: Path) -> bytes:
    """Return the key of a file that `make_key` wrote.

    Raises InputError when there is none, ConfigurationError when others may read it or it is no key.
    """
    if not file.is_file():
        raise InputError(f"{file} is not there; to make a key: cohortfinder keys pseudonyms --private {file}")
    try:
        key = bytes.fromhex(Secret(file=file, place="--key").read())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(f"--key: {file} is no key for pseudonyms; make one: cohortfinder keys pseudonyms")
    return key
