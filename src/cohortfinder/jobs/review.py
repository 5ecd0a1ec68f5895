"""The review application: settings in, a server that runs until it is stopped."""

import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import uvicorn

from cohortfinder.errors import ConfigurationError, ReadWriteError
from cohortfinder.jobs.screen import read_terminology
from cohortfinder.jobs.screened import concept_labels
from cohortfinder.model import Trial
from cohortfinder.review.app import make_app
from cohortfinder.review.application import Application
from cohortfinder.review.lists.appearances import note_appearances
from cohortfinder.review.lists.published import Published
from cohortfinder.review.store.database import FOLDER, Database, open_database
from cohortfinder.review.store.head import FILE as HEAD
from cohortfinder.review.store.head import Head
from cohortfinder.review.store.keys import open_keys
from cohortfinder.review_settings import ReviewSettings
from cohortfinder.settings import Settings
from cohortfinder.trials.library import read_text
from cohortfinder.trials.parser import parse_trial

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def review(settings: Settings, *, log: Callable[..., None]) -> None:
    """Serve the lists of a store until the process is told to stop.

    Raises ConfigurationError where others could read what is sent, or a setting is wrong, ReadWriteError when the
    review store or the address cannot be had.
    """
    host, _, port = settings.review.listen.rpartition(":")
    host = host.strip("[]")
    require_privacy(settings.review, host)
    with closing(open_database(settings.store, settings.review)) as database:
        application = application_of(settings, database)
        if (held := application.published.current()) is not None:
            # of a list that was published before anybody had opened the application
            note_appearances(database, held.folder)
        application.published.open_all()
        application.log = log
        app = make_app(application)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, proxy_headers=False,
            ssl_certfile=settings.review.certificate, ssl_keyfile=settings.review.certificate_key, workers=1,
        )  # fmt: skip
        with _listening(host, int(port)) as listener:
            log(f"the lists of {settings.store} are at {address_of(settings.review)}; stop with Ctrl-C")
            uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises ReadWriteError where the system refuses."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        # Python says the address once more behind the words of the system
        why = str(error.strerror).split(" (")[0]
        raise ReadWriteError(f"{host}:{port}: cannot listen here ({why}); choose another port") from error


def application_of(settings: Settings, database: Database) -> Application:
    """Return what all pages share, as a site has it configured."""
    terminology = read_terminology(settings)

    def read_trial(file: Path) -> Trial:
        return parse_trial(read_text(file), source=str(file), terminology=terminology, overrides=settings.parameters)

    keys = open_keys(settings.store / FOLDER)
    return Application(
        settings=settings.review,
        database=database,
        published=Published(settings.store, keys, read_trial),
        keys=keys,
        head=Head(settings.store / FOLDER / HEAD, keys),
        labels=concept_labels(terminology),
        time_zone=settings.time_zone or "UTC",
    )


def require_privacy(settings: ReviewSettings, host: str) -> None:
    """Refuse to send patients' data where others can read them. Raises ConfigurationError."""
    if host not in _LOOPBACK and settings.certificate is None and not settings.behind_proxy:
        raise ConfigurationError(
            f"[review] listen = {settings.listen!r}: others could read what is sent; name certificate and "
            "certificate_key, or set behind_proxy = true where a proxy in front of it speaks TLS"
        )


def address_of(settings: ReviewSettings) -> str:
    """Return where a browser finds it."""
    scheme = "https" if settings.certificate is not None else "http"
    return settings.address or f"{scheme}://{settings.listen}"
