"""How the FHIR server of a site is reached: who asks, by which way, and how much at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cohortfinder.secret import Secret


@dataclass(frozen=True, slots=True)
class BasicAccess:
    """A user and a password."""

    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class BearerAccess:
    """A token that somebody else renews."""

    token: Secret


@dataclass(frozen=True, slots=True)
class OAuthAccess:
    """Tokens of an authorization server, to which a secret says who asks, or with `signs` a private key.

    Without `token_url` the FHIR server tells it, without `scopes` they follow from what is asked for.
    """

    client_id: str
    secret: Secret
    signs: bool = False
    key_id: str | None = None
    token_url: str | None = None
    scopes: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()


Access = BasicAccess | BearerAccess | OAuthAccess


@dataclass(frozen=True, slots=True)
class Proxy:
    """The way out of the site's network."""

    url: str
    user: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """The server by its base address, who asks, and how much at a time. Without `access` nobody says who asks.

    `export` is the level of bulk exports, None where searches are the rule. A resource with all security labels of one
    of `exclude_labels` is not stored (None: those that Labels says).
    """

    url: str
    access: Access | None = None
    ca_bundle: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    proxy: Proxy | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    header_secrets: Mapping[str, Secret] = field(default_factory=dict)
    contact: str | None = None
    parallel: int = 4
    page_size: int = 200
    overlap_minutes: int = 20
    sweep_days: int = 7
    exclude_labels: tuple[frozenset[str], ...] | None = None
    wait_minutes: float = 30
    timeout_seconds: float = 120
    rewrite_links: bool = False
    allow_http: bool = False
    export: str | None = None
    poll_seconds: float = 60
    export_minutes: float = 240

    def secrets(self) -> Iterator[Secret]:
        """Yield all that nobody may see."""
        match self.access:
            case BasicAccess(password=secret) | BearerAccess(token=secret) | OAuthAccess(secret=secret):
                yield secret
        yield from self.header_secrets.values()
        if self.proxy is not None and self.proxy.password is not None:
            yield self.proxy.password
        if self.client_key is not None:
            yield Secret(file=self.client_key, place="client_key")
