"""Two people of a study team, and the review store that they share."""

from dataclasses import dataclass

from cohortfinder.review.store.database import Database


@dataclass(frozen=True)
class Team:
    """A review store and the numbers of two accounts."""

    database: Database
    anna: int
    ben: int
