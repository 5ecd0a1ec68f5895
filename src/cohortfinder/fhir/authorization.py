"""Who asks, by each of the ways that a configuration can say it."""

import base64
from collections.abc import Collection, Mapping

from cohortfinder.connection import BasicAccess, BearerAccess, Connection
from cohortfinder.fhir.asking import Asker, Authorization
from cohortfinder.fhir.tokens import OAuthTokens


class BasicAuthorization:
    """A user and a password, the same all night."""

    def __init__(self, access: BasicAccess) -> None:
        pair = f"{access.user}:{access.password.read()}".encode()
        self._headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    def headers(self) -> Mapping[str, str]:
        """Return the header of HTTP."""
        return self._headers

    def renew(self, used: Mapping[str, str]) -> bool:
        """Return False: there is no other password."""
        return False


class BearerAuthorization:
    """A token in a file, which somebody else renews while we run."""

    def __init__(self, access: BearerAccess) -> None:
        self._secret = access.token
        self._headers = self._read()

    def headers(self) -> Mapping[str, str]:
        """Return the header of HTTP."""
        return self._headers

    def renew(self, used: Mapping[str, str]) -> bool:
        """Read the file again; True when it holds another token now."""
        self._headers = self._read()
        return self._headers != used

    def _read(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._secret.read()}"}


def authorization_of(connection: Connection, asker: Asker, types: Collection[str]) -> Authorization | None:
    """Return who asks, with OAuth for these resource types; None where nobody says it.

    Raises ConfigurationError when a secret is not what it should be.
    """
    match connection.access:
        case None:
            return None
        case BasicAccess() as access:
            return BasicAuthorization(access)
        case BearerAccess() as access:
            return BearerAuthorization(access)
        case access:
            return OAuthTokens(access, asker, connection, types)
