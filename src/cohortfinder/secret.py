"""What nobody may see: a password, a token or a key, from a file of its own or from a variable."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cohortfinder.errors import ConfigurationError

_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Secret:
    """Its value, or the file that holds it. `place` is where the configuration names it."""

    value: str | None = field(default=None, repr=False)
    file: Path | None = None
    place: str = "the configuration"

    def read(self) -> str:
        """Return what is secret, without blanks around it.

        Raises ConfigurationError when the file is not there, is empty or may be read by others.
        """
        text = self.value if self.file is None else self._from(self.file)
        if not (text or "").strip():
            raise ConfigurationError(f"{self.place}: {self.file or 'the value'} is empty; a secret belongs there")
        return str(text).strip()

    def _from(self, file: Path) -> str:
        try:
            text = file.read_text(encoding="utf-8")
            mode = file.stat().st_mode
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(f"{self.place}: {file} cannot be read; check the name and who owns it") from None
        if mode & _OTHERS and not is_credential(file):
            raise ConfigurationError(f"{self.place}: {file} may be read by others; do: chmod 600 {file}")
        return text


def check_secrets(secrets: Iterable[Secret]) -> None:
    """Read all of them. Raises ConfigurationError with everything that is wrong."""
    problems = []
    for secret in secrets:
        try:
            secret.read()
        except ConfigurationError as error:
            problems.append(str(error))
    if problems:
        raise ConfigurationError("\n".join(problems))


def is_credential(file: Path, environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether systemd keeps the file for this service; its mode then shows a list of rights, not others."""
    folder = (os.environ if environment is None else environment).get("CREDENTIALS_DIRECTORY")
    return bool(folder) and Path(folder or "").resolve() in file.resolve().parents
