"""What must not be published: each guard returns why, with the code that accepts it. Pure."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta

from cohortfinder.errors import CohortFinderError, ShrunkError
from cohortfinder.fhir.pages import IgnoredError
from cohortfinder.runs.record import Refusal
from cohortfinder.warehouse.state import TypeState

CLOCK, PULL_FAILED, IGNORED, SHRUNK_EXPORT = "clock", "pull-failed", "ignored-parameter", "shrunk-export"
REVIEW = "review-store"
INCOMPLETE, SHRUNK, LOST_CODES, UNREADABLE = "incomplete", "shrunk", "lost-codes", "unreadable"
# the codes that stand alone, and those that name what they are about: shrunk:Observation
WHOLE = (CLOCK, PULL_FAILED, IGNORED, SHRUNK_EXPORT, REVIEW)
NAMED = (INCOMPLETE, SHRUNK, LOST_CODES, UNREADABLE)
# so much a clock may be set back by those who keep it right
_BACK = timedelta(minutes=2)
# a server and we may keep different time zones, not different days
_APART = timedelta(days=1)
# a store in which nothing happened for so long is not one of every night
_AHEAD = timedelta(days=31)
_SHOWN = 5


def failed_pull(error: CohortFinderError) -> Refusal:
    """Say that nothing could be pulled."""
    code = (
        IGNORED if isinstance(error, IgnoredError) else SHRUNK_EXPORT if isinstance(error, ShrunkError) else PULL_FAILED
    )
    accept = (
        "what the server exported is taken for all that there is"
        if code == SHRUNK_EXPORT
        else "the list is made of what the store holds from the pulls before"
    )
    return Refusal(code, f"The pull failed: {error}", accept, error.exit_status)


def incomplete(states: Mapping[str, TypeState], read: Collection[str], codes: frozenset[str]) -> Iterator[Refusal]:
    """Refuse a type that the trials read and of which not everything is there."""
    for kind in sorted(states.keys() & {*read}):
        state = states[kind]
        if not state.complete:
            why = f"The last load of {kind} was not complete, so that records may be missing."
        elif lacking := state.without(codes):
            why = f"{kind} was pulled without {len(lacking)} of the codes that the trials ask for; pull again."
        else:
            continue
        yield Refusal(f"{INCOMPLETE}:{kind}", why, f"the list is made without the missing {kind}", 3)


def shrunk(
    held: Mapping[str, int], before: Mapping[str, int], read: Collection[str], *, most_percent: int
) -> Iterator[Refusal]:
    """Refuse a type that the trials read and that has lost more than so many per cent since the last list."""
    for kind in sorted(before.keys() & {*read}):
        was, now = before[kind], held.get(kind, 0)
        if was and (was - now) * 100 > most_percent * was:
            lost = (was - now) * 100 / was
            yield Refusal(
                f"{SHRUNK}:{kind}",
                f"{kind} has shrunk by {lost:.0f} % since the last list, from {was:,} to {now:,}; more than "
                f"{most_percent} % are not taken for deletions.",
                f"the {now:,} {kind} are taken for all that there are",
                65,
            )


def lost_codes(now: Mapping[str, Collection[str]], before: Mapping[str, Collection[str]]) -> Iterator[Refusal]:
    """Refuse a concept that the trials ask for and that has lost a code since the last list."""
    for concept in sorted(now.keys() & before.keys()):
        if lost := sorted({*before[concept]} - {*now[concept]}):
            told = ", ".join(lost[:_SHOWN]) + (", ..." if len(lost) > _SHOWN else "")
            count = "1 code" if len(lost) == 1 else f"{len(lost)} codes"
            yield Refusal(
                f"{LOST_CODES}:{concept}",
                f"The concept {concept} has lost {count} since the last list: {told}.",
                f"records of {concept} under the lost codes count no more",
                65,
            )


def clock(now: datetime, as_of: date, *, newest: datetime | None, published: date | None) -> Iterator[Refusal]:
    """Refuse an index date before that of the last list, and a clock that is behind what is known to have been."""
    why = None
    if published is not None and as_of < published:
        why = f"The index date {as_of} is before {published}, that of the last list."
    elif newest is not None and now < newest - _BACK:
        why = f"The clock says {_told(now)}, and the store has something of {_told(newest)}: it was set back."
    if why:
        yield Refusal(CLOCK, why, f"the list is as of {as_of} all the same", 65)


def clock_ahead(now: datetime, as_of: date, *, newest: datetime | None, server: datetime | None) -> Iterator[Refusal]:
    """Refuse a clock that is ahead: another day than that of the server, or weeks after anything that is known."""
    why = None
    if server is not None and abs(now - server) > _APART:
        why = f"The clock says {_told(now)}, that of the server {_told(server)}."
    elif server is None and newest is not None and now > newest + _AHEAD:
        why = f"The clock says {_told(now)}, and nothing happened in this store since {_told(newest)}."
    if why:
        yield Refusal(CLOCK, f"{why} Set the clock right.", f"the list is as of {as_of} all the same", 65)


def unread_review(error: CohortFinderError) -> Refusal:
    """Refuse to publish without what people have answered: whom they have excluded would be candidates again."""
    message = f"What people have answered and decided cannot be read: {error}"
    return Refusal(REVIEW, message, "the list is made as if nobody had answered or decided anything", error.exit_status)


def unreadable(name: str, error: CohortFinderError) -> Refusal:
    """Refuse to publish without a trial that cannot be read, or screened."""
    message = f"The trial {name} cannot be screened: {error}"
    return Refusal(f"{UNREADABLE}:{name}", message, f"a list without the trial {name} is published", error.exit_status)


def _told(time: datetime) -> str:
    return time.isoformat(sep=" ", timespec="minutes")
