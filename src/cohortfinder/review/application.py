"""What all pages share: the review store, the published lists, the key, and the environments of the templates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cohortfinder import wording
from cohortfinder.review import words
from cohortfinder.review.access.oidc import Provider
from cohortfinder.review.access.sessions import Limits
from cohortfinder.review.languages import LANGUAGES, Spoken, catalogue, translator
from cohortfinder.review.lists.published import Published
from cohortfinder.review.store.database import Database
from cohortfinder.review.store.head import Head
from cohortfinder.review.store.keys import Keys
from cohortfinder.review.store.said import patients_said
from cohortfinder.review_settings import ReviewSettings

TEMPLATES, STATIC = Path(__file__).with_name("templates"), Path(__file__).with_name("static")


def _now() -> datetime:
    return datetime.now(UTC)


def _silent(_: str, **__: object) -> None:
    """Say nothing."""


@dataclass
class Application:
    """The parts of the review application; `clock` tells now, `labels` names concepts, `log` takes a line for IT."""

    settings: ReviewSettings
    database: Database
    published: Published
    keys: Keys
    head: Head | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = "UTC"
    clock: Callable[[], datetime] = _now
    log: Callable[..., None] = _silent
    _environments: dict[str, Environment] = field(default_factory=dict)

    @cached_property
    def provider(self) -> Provider | None:
        """The OpenID provider of the site, None where it has none."""
        return Provider(self.settings, self.keys) if self.settings.oidc_issuer else None

    @property
    def limits(self) -> Limits:
        """How long somebody stays signed in."""
        return Limits(timedelta(minutes=self.settings.idle_minutes), timedelta(hours=self.settings.session_hours))

    @property
    def is_secure(self) -> bool:
        """Say whether browsers reach it through TLS, so that cookies are for that alone."""
        return self.settings.certificate is not None or self.settings.behind_proxy

    def patient_said(self, trial: str, name: str) -> str | None:
        """Return the patient of a name in addresses of whom somebody said something, who need not be listed now."""
        with self.database.reading() as connection:
            known = patients_said(connection, trial)
        return next((patient for patient in known if self.keys.candidate(trial, patient) == name), None)

    def environment(self, language: str) -> Environment:
        """Return the environment in which pages of a language are made: every text is escaped."""
        language = language if language in LANGUAGES else LANGUAGES[0]
        if language not in self._environments:
            self._environments[language] = self._made(language)
        return self._environments[language]

    def _made(self, language: str) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=True, trim_blocks=True,
            lstrip_blocks=True, extensions=["jinja2.ext.i18n"],
        )  # fmt: skip
        translations: Any = catalogue(language)
        environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
        environment.globals["_"] = translator(translations)
        environment.globals["wording"] = wording
        environment.globals["words"] = words
        environment.globals["settings"] = self.settings
        environment.globals["spoken"] = Spoken(language, self.time_zone)
        return environment
