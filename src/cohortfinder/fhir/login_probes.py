"""Whether an authorization server gives us a token, and for how much of what was asked."""

from collections.abc import Iterator

from cohortfinder.connection import OAuthAccess
from cohortfinder.errors import ProtocolError, RefusedError, ServerError
from cohortfinder.fhir.client import FhirClient
from cohortfinder.fhir.findings import CONFIGURATION, REFUSED, UNAVAILABLE, Finding, fine, note, prevents, warning


def login_findings(client: FhirClient) -> Iterator[Finding]:
    """Yield what the authorization server grants; nothing where there is none.

    Raises ConfigurationError where the key or the address for it is not right.
    """
    access = client.connection.access
    if not isinstance(access, OAuthAccess):
        return
    try:
        granted, lacking = client.granted(), client.missing_scopes()
    except RefusedError as error:
        ask = f"Does the authorization server know our client {access.client_id}, and its public key or secret?"
        yield prevents("access", str(error), status=REFUSED, ask=ask)
    except ServerError as error:
        yield prevents("access", str(error), status=UNAVAILABLE, ask="Is the authorization server well?")
    except ProtocolError as error:
        yield prevents("access", str(error), status=CONFIGURATION, ask="Which address gives tokens (token_url)?")
    else:
        yield fine("access", f"the authorization server gives a token to {access.client_id}")
        yield _scopes(client, access.client_id, granted, lacking)


def _scopes(client: FhirClient, name: str, granted: frozenset[str] | None, lacking: tuple[str, ...]) -> Finding:
    asked = client.asked_scopes()
    if granted is None:
        return note("scopes", f"the server does not tell which of these scopes it granted: {' '.join(asked)}")
    if not lacking:
        return fine("scopes", f"what was asked for was granted: {' '.join(asked)}")
    ask = f"Allow our client {name} the scopes {' '.join(lacking)}."
    if len(lacking) == len(asked):
        return prevents("scopes", f"none of the scopes was granted: {' '.join(asked)}", status=REFUSED, ask=ask)
    return warning("scopes", f"without a word these scopes were not granted: {' '.join(lacking)}", ask=ask)
