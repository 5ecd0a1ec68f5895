"""Mails to people of the study teams who want to be told of new lists: numbers and a link, never a patient."""

from contextlib import closing
from dataclasses import replace
from datetime import datetime

from cohortfinder.errors import CohortFinderError
from cohortfinder.jobs.night.mail import send
from cohortfinder.jobs.night.message import Record, shown_counts, trials_of
from cohortfinder.jobs.night.notify import Told
from cohortfinder.notify_settings import Mail
from cohortfinder.review.store.database import Database, has_database, open_database
from cohortfinder.review.store.subscriptions import Subscriber, note_told, subscribers
from cohortfinder.settings import Settings

_WAY = "subscriptions"


def tell_subscribers(record: Record, settings: Settings, at: datetime) -> tuple[Told, ...]:
    """Tell everybody whose time has come of a list that was published; return what became of it, nothing for nobody.

    Raises nothing: a list that is published must not look failed because of a mail.
    """
    if record["state"] != "published" or not has_database(settings.store, settings.review):
        return ()
    try:
        with closing(open_database(settings.store, settings.review)) as database:
            return _told(database, record, settings, at)
    except CohortFinderError as error:
        return (Told(_WAY, str(error)),)
    except Exception as error:
        return (Told(_WAY, f"unexpected failure ({type(error).__name__})"),)


def _told(database: Database, record: Record, settings: Settings, at: datetime) -> tuple[Told, ...]:
    with database.reading() as connection:
        people = [one for one in subscribers(connection, at) if _lines(one, record)]
    mail = settings.nightly.notify.mail
    if people and mail is None:
        return (Told(_WAY, f"{len(people)} people want mails, and none is configured; see mail_from under [nightly]"),)
    problems = [
        said for one in people if mail is not None and (said := _send(database, one, record, settings, mail, at))
    ]
    if problems:
        return (Told(_WAY, f"{len(problems)} of {len(people)} mails were not sent: {problems[0]}"),)
    return (Told(_WAY),) if people else ()


def _send(database: Database, one: Subscriber, record: Record, settings: Settings, mail: Mail, at: datetime) -> str:
    """Send one mail, and return what is wrong, '' for nothing."""
    link = settings.review.address or settings.nightly.link
    where = ["", f"The list: {link}"] if link else []
    change = f"{link.rstrip('/')}/subscriptions" if link else "the page Mails of the review application"
    why = ["", f"You get this because you asked for it; change it here: {change}"]
    text = "\n".join([*_lines(one, record), *where, *why]) + "\n"
    try:
        send(replace(mail, to=(one.email,)), f"cohortfinder: new lists as of {record.get('index_date') or '-'}", text)
    except CohortFinderError as error:
        return str(error)
    with database.writing() as connection:
        note_told(connection, one, at)
    return ""


def _lines(one: Subscriber, record: Record) -> list[str]:
    return [f"{name}: {shown_counts(trial)}" for name, trial in trials_of(record) if name in one.trials]
