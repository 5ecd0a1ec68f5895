"""Who wants to be told of new lists by mail, of which trial and how often."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from cohortfinder.review.store.tables import ACCOUNT, SUBSCRIPTION, TRIAL_ROLE

EACH, WEEKLY = "each", "weekly"
SCHEDULES = (EACH, WEEKLY)
# a night does not begin at the same minute every week
_A_WEEK = timedelta(days=6, hours=12)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Somebody to be told now, of these trials."""

    account_id: int
    email: str
    trials: tuple[str, ...]


def subscribe(connection: Connection, account_id: int, trial: str, schedule: str | None) -> None:
    """Let somebody be told of new lists of a trial, None for not any more."""
    own = (SUBSCRIPTION.c.account_id == account_id, SUBSCRIPTION.c.trial == trial)
    told = connection.execute(select(SUBSCRIPTION.c.told_at).where(*own)).scalar_one_or_none()
    connection.execute(delete(SUBSCRIPTION).where(*own))
    if schedule is not None:
        given = {"account_id": account_id, "trial": trial, "schedule": schedule, "told_at": told}
        connection.execute(insert(SUBSCRIPTION).values(**given))


def subscriptions_of(connection: Connection, account_id: int) -> dict[str, str]:
    """Return the schedule by trial of somebody."""
    asked = select(SUBSCRIPTION.c.trial, SUBSCRIPTION.c.schedule).where(SUBSCRIPTION.c.account_id == account_id)
    return {row.trial: row.schedule for row in connection.execute(asked)}


def subscribers(connection: Connection, at: datetime) -> Iterator[Subscriber]:
    """Yield who is to be told now: who may sign in, has a role in the trial and an address, and whose time has come."""
    asked = (
        select(SUBSCRIPTION, ACCOUNT.c.email)
        .join(ACCOUNT, ACCOUNT.c.id == SUBSCRIPTION.c.account_id)
        .join(
            TRIAL_ROLE,
            (TRIAL_ROLE.c.account_id == SUBSCRIPTION.c.account_id) & (TRIAL_ROLE.c.trial == SUBSCRIPTION.c.trial),
        )
        .where(ACCOUNT.c.active, ACCOUNT.c.email.is_not(None))
        .order_by(SUBSCRIPTION.c.account_id, SUBSCRIPTION.c.trial)
    )
    found: dict[tuple[int, str], list[str]] = {}
    for row in connection.execute(asked):
        if row.schedule == EACH or row.told_at is None or at - row.told_at >= _A_WEEK:
            found.setdefault((row.account_id, row.email), []).append(row.trial)
    for (account_id, email), trials in found.items():
        yield Subscriber(account_id, email, tuple(trials))


def note_told(connection: Connection, subscriber: Subscriber, at: datetime) -> None:
    """Write down that somebody was told."""
    own = (SUBSCRIPTION.c.account_id == subscriber.account_id, SUBSCRIPTION.c.trial.in_(subscriber.trials))
    connection.execute(update(SUBSCRIPTION).where(*own).values(told_at=at))
