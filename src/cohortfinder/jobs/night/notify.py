"""Telling of a night when it has ended: webhook, mail, metrics. What cannot be told is noted and fails nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cohortfinder.errors import CohortFinderError
from cohortfinder.fhir.webhook import post
from cohortfinder.jobs.night.mail import send
from cohortfinder.jobs.night.message import Record, is_problem, mail_text, message_of, subject_of
from cohortfinder.jobs.night.metrics import write_metrics
from cohortfinder.nightly_settings import NightlySettings

Send = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one way to tell of a night; `problem` is empty where it was told."""

    way: str
    problem: str = ""


def tell(record: Record, settings: NightlySettings, published_at: datetime | None = None) -> tuple[Told, ...]:
    """Tell of a night in every way that is configured, and return what became of each.

    `published_at` is when the list that is up was published. Raises nothing that a way to tell could cause.
    """
    return tuple(_told(way, send) for way, send in _ways(record, settings, published_at))


def _ways(record: Record, settings: NightlySettings, published_at: datetime | None) -> Iterator[tuple[str, Send]]:
    notify, link = settings.notify, settings.link
    # the monitor first: what follows may wait for a server
    if (file := notify.metrics_file) is not None:
        yield "metrics", lambda: write_metrics(file, record, published_at)
    if (hook := notify.webhook) is not None:
        yield "webhook", lambda: post(hook, message_of(record, link))
    if (mail := notify.mail) is not None and (mail.when == "always" or is_problem(record)):
        yield "mail", lambda: send(mail, subject_of(record), mail_text(record, link))


def _told(way: str, send: Send) -> Told:
    try:
        send()
    except CohortFinderError as error:
        return Told(way, str(error))
    except OSError as error:
        place = f" {error.filename}" if error.filename else ""
        return Told(way, f"cannot write{place}: {error.strerror}; check its permissions and space")
    except Exception as error:
        # a list that is published must not look failed because of a message about it
        return Told(way, f"unexpected failure ({type(error).__name__})")
    return Told(way)
