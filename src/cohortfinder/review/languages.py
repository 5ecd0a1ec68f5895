"""Languages of the pages: catalogues of their sentences, and dates and numbers as they are written in each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path

from babel.dates import format_date, format_time, get_timezone
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations, Translations
from markupsafe import Markup

from cohortfinder.review_settings import LANGUAGES as LANGUAGES

_CATALOGUES = Path(__file__).with_name("locale")


@cache
def catalogue(language: str) -> NullTranslations:
    """Return the sentences of a language; English is what stands in the templates."""
    file = _CATALOGUES / f"{language}.po"
    if not file.is_file():
        return NullTranslations()
    with file.open("rb") as stream:
        read = read_po(stream, locale=language)
    compiled = BytesIO()
    write_mo(compiled, read)
    compiled.seek(0)
    return Translations(compiled)


def translator(found: NullTranslations) -> Callable[..., Markup]:
    """Return what a template calls for a sentence, with the values of its gaps, which are escaped.

    As the new style of Jinja does, for which % is always a gap; each sentence is looked up once and not a hundred times
    a page.
    """

    @cache
    def said(message: str) -> Markup:
        return Markup(found.gettext(message))

    def translate(message: str, /, **values: object) -> Markup:
        return said(message) % values

    return translate


@dataclass(frozen=True, slots=True)
class Spoken:
    """How dates and numbers are written in a language and at a site."""

    language: str
    time_zone: str

    def day(self, value: date | None) -> str:
        """Write a date, '' for none."""
        return _day(value, self.language) if value else ""

    def moment(self, value: datetime | None) -> str:
        """Write a moment in the time zone of the site, '' for none."""
        zone = get_timezone(self.time_zone)
        if value is None:
            return ""
        hour = format_time(value, format="HH:mm", tzinfo=zone, locale=self.language)
        return f"{self.short_day(value)}, {hour}"

    def short_day(self, value: datetime | None) -> str:
        """Write the day of a moment in the time zone of the site, '' for none."""
        return self.day(value.astimezone(get_timezone(self.time_zone)).date()) if value else ""

    def recorded(self, text: str | None) -> str:
        """Write when something was recorded, as exact as the record is: 2026, 2026-05, a day, or a day and an hour."""
        if not text or len(text) < len("2026-11-20"):
            return text or ""
        try:
            day = self.day(date.fromisoformat(text[:10]))
        except ValueError:
            return text
        return f"{day}, {text[11:16]}" if len(text) >= len("2026-11-20T08:30") else day

    def number(self, value: float) -> str:
        """Write a number."""
        return format_decimal(value, locale=self.language)

    def share(self, value: float | None) -> str:
        """Write a part of one as percent, '' for none."""
        return "" if value is None else _share(value, self.language)


# a page writes the same few days and shares a hundred times
@lru_cache(maxsize=4096)
def _day(value: date, language: str) -> str:
    return format_date(value, format="medium", locale=language)


@lru_cache(maxsize=4096)
def _share(value: float, language: str) -> str:
    return format_percent(value, locale=language)
