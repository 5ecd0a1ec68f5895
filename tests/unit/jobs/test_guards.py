"""The guards of a night by themselves: where their limits are."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cohortfinder.errors import ProtocolError, RefusedError, ServerError, ShrunkError
from cohortfinder.fhir.pages import IgnoredError
from cohortfinder.jobs.night.guards import clock, clock_ahead, failed_pull, incomplete, lost_codes, shrunk
from cohortfinder.warehouse.state import TypeState

NOW, DAY = datetime(2026, 11, 27, 2, tzinfo=UTC), date(2026, 11, 27)


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (ServerError("gone"), "pull-failed", 69),
        (RefusedError("no"), "pull-failed", 77),
        (ProtocolError("what"), "pull-failed", 76),
        (IgnoredError("passed over"), "ignored-parameter", 76),
        (ShrunkError("less"), "shrunk-export", 65),
    ],
)
def test_a_failed_pull_has_the_status_of_its_error(error: Exception, code: str, status: int) -> None:
    refusal = failed_pull(error)  # type: ignore[arg-type]
    assert (refusal.code, refusal.exit_status) == (code, status)


@pytest.mark.parametrize(("now", "refused"), [(80, False), (79, True), (0, True), (101, False)])
def test_a_type_may_lose_a_fifth_and_not_more(now: int, refused: bool) -> None:
    found = [*shrunk({"Condition": now}, {"Condition": 100}, {"Condition"}, most_percent=20)]
    assert [one.code for one in found] == (["shrunk:Condition"] if refused else [])


def test_what_no_trial_reads_may_shrink_and_what_is_gone_has_shrunk() -> None:
    assert [*shrunk({"Procedure": 1}, {"Procedure": 100}, {"Condition"}, most_percent=20)] == []
    (gone,) = shrunk({}, {"Condition": 5}, {"Condition"}, most_percent=20)
    assert gone.message.startswith("Condition has shrunk by 100 % since the last list, from 5 to 0;")


def test_a_type_is_incomplete_by_its_load_or_by_its_codes() -> None:
    states = {
        "Condition": TypeState(5, False),
        "Observation": TypeState(5, True, ("1-1",)),
        "Procedure": TypeState(5, False),
        "Patient": TypeState(5, True),
    }
    found = [*incomplete(states, {"Condition", "Observation", "Patient", "Consent"}, frozenset({"1-1", "2-2"}))]
    assert [(one.code, one.exit_status) for one in found] == [
        ("incomplete:Condition", 3),
        ("incomplete:Observation", 3),
    ]
    assert "without 1 of the codes" in found[1].message


def test_a_code_may_be_added_and_not_lost_and_an_excluding_one_is_another_code() -> None:
    before = {"dx": ["s|1", "s|2"], "gone": ["s|9"]}
    assert [*lost_codes({"dx": ["s|1", "s|2", "s|3"]}, before)] == []
    (lost,) = lost_codes({"dx": ["s|1", "-s|2"]}, before)
    assert (lost.code, lost.message) == ("lost-codes:dx", "The concept dx has lost 1 code since the last list: s|2.")


@pytest.mark.parametrize(
    ("newest", "published", "refused"),
    [
        (None, None, False),
        (NOW + timedelta(minutes=1), None, False),
        (NOW + timedelta(minutes=3), None, True),
        (NOW + timedelta(hours=1), DAY, True),
        (NOW - timedelta(days=1), DAY, False),
        (NOW - timedelta(days=1), DAY + timedelta(days=1), True),
    ],
)
def test_a_clock_may_not_be_behind(newest: datetime | None, published: date | None, refused: bool) -> None:
    assert bool([*clock(NOW, DAY, newest=newest, published=published)]) is refused


@pytest.mark.parametrize(
    ("newest", "server", "refused"),
    [
        (None, None, False),
        (NOW - timedelta(days=30), None, False),
        (NOW - timedelta(days=32), None, True),
        # a store that was not used for long, and a server that says that the clock is right
        (NOW - timedelta(days=32), NOW, False),
        (NOW, NOW - timedelta(hours=23), False),
        (NOW, NOW - timedelta(hours=25), True),
        (NOW, NOW + timedelta(hours=25), True),
    ],
)
def test_a_clock_may_not_be_ahead(newest: datetime | None, server: datetime | None, refused: bool) -> None:
    assert bool([*clock_ahead(NOW, DAY, newest=newest, server=server)]) is refused
