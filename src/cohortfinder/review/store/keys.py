"""The key of a review store: names for patients that say nothing, and marks that nobody without the key can make."""

import hmac
from base64 import b32encode
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from cohortfinder.disk import make_folders
from cohortfinder.errors import ConfigurationError
from cohortfinder.report.files import write_private
from cohortfinder.secret import Secret

FILE = "key"
_BYTES = 32
# 80 bits: among a million patients two have the same name with a chance below 1 in 10^12
_LETTERS = 16


@dataclass(frozen=True, slots=True)
class Keys:
    """What is derived from the one key of a site's review store."""

    key: bytes = field(repr=False)

    def candidate(self, trial: str, patient_id: str) -> str:
        """Return the name of a patient of a trial in addresses and in the audit log: 16 letters and digits.

        The same patient has another name in another trial, so that neither can be laid beside the other.
        """
        return self._letters("candidate", trial, patient_id)

    def pseudonym(self, trial: str, patient_id: str) -> str:
        """Return what is shown to those who may not see who it is, as P-7K3F-9Q2M."""
        letters = self._letters("pseudonym", trial, patient_id)
        return f"P-{letters[:4]}-{letters[4:8]}"

    def mark(self, about: str, *parts: str) -> str:
        """Return a mark of some text that only the holder of the key can make: 64 hexadecimal digits."""
        return hmac.digest(self.key, _message(about, parts), sha256).hex()

    def _letters(self, about: str, *parts: str) -> str:
        return b32encode(hmac.digest(self.key, _message(about, parts), sha256)).decode()[:_LETTERS]


def _message(about: str, parts: tuple[str, ...]) -> bytes:
    # the lengths keep "A" with "B1" apart from "AB" with "1"
    return "".join(f"{len(part)}:{part}" for part in (about, *parts)).encode("utf-8", "surrogatepass")


def open_keys(folder: Path) -> Keys:
    """Return the key of the review store in `folder`, which is made where there is none.

    Raises ConfigurationError when others may read it or it is none, ReadWriteError when it cannot be written.
    """
    file = folder / FILE
    if not file.exists():
        make_folders(folder)
        folder.chmod(0o700)
        write_private(file, token_hex(_BYTES) + "\n")
    try:
        key = bytes.fromhex(Secret(file=file, place="the review store").read())
    except ValueError:
        key = b""
    if len(key) != _BYTES:
        raise ConfigurationError(f"{file}: this is no key of a review store; restore it from a backup")
    return Keys(key)
