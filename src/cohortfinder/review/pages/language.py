"""The language in which somebody reads the pages."""

from sqlalchemy import update
from starlette.responses import Response

from cohortfinder.review.asked import Asked
from cohortfinder.review.languages import LANGUAGES
from cohortfinder.review.pages.sent import word_sent
from cohortfinder.review.routing import SIGNED_IN, Page
from cohortfinder.review.store.tables import ACCOUNT


def choose(asked: Asked) -> Response:
    """Keep the language of whoever asks."""
    language = word_sent(asked, "language", LANGUAGES)
    with asked.application.database.writing() as connection:
        connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == asked.who.id).values(language=language))
    return asked.back("/")


PAGES = (Page("/language", choose, SIGNED_IN, sends=True, before_change=True),)
