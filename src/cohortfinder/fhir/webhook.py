"""One message to a webhook: JSON to an address that may be secret, so that no error or log names more than its host."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from cohortfinder.address import origin
from cohortfinder.errors import CohortFinderError, ConfigurationError, ServerError
from cohortfinder.fhir.failures import UnansweredError
from cohortfinder.fhir.transport import Request, Transport
from cohortfinder.notify_settings import Webhook

TRIES = 3
_WAITS = (1.0, 5.0)
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


def post(hook: Webhook, message: Mapping[str, Any], *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Send a message, in at most three tries.

    Raises ConfigurationError when the address or a header cannot be used, ServerError when it was not taken.
    """
    url = hook.url()
    headers = {name: _in_one_line(name, secret.read()) for name, secret in hook.header_secrets.items()}
    request = Request("POST", url, {"Content-Type": "application/json"}, orjson.dumps(message), credentials=headers)
    transport = Transport(hook.connection())
    try:
        for wait in (*_WAITS, None):
            problem = _problem(transport, request)
            if problem is None:
                return
            if wait is None or not problem[1]:
                raise problem[0]
            sleep(wait)
    finally:
        transport.close()


def _problem(transport: Transport, request: Request) -> tuple[CohortFinderError, bool] | None:
    """Send a request once; return why it was not taken, and whether another try may help."""
    try:
        with transport.answered(request) as reply:
            # what it answers is nobody's business: it might repeat what is secret
            status = reply.status
    except UnansweredError as error:
        return error, True
    if status < 300:
        return None
    message = f"{origin(request.url)} does not take the message ({status}); check webhook under [nightly]"
    return ServerError(message), status in _AGAIN


def _in_one_line(name: str, text: str) -> str:
    if not text.isprintable() or not text.isascii():
        raise ConfigurationError(f"the file of the header {name} of the webhook must hold one line of ASCII")
    return text
