"""One TLS handshake with a server to what its certificate says, whether it is trusted here or not."""

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says: whose it is, who signed it, and from when until when it holds."""

    subject: str
    issuer: str
    begins: datetime
    ends: datetime

    @property
    def is_own(self) -> bool:
        """Whether it was signed by nobody but itself."""
        return self.subject == self.issuer


@dataclass(frozen=True, slots=True)
class Handshake:
    """The version of TLS that was agreed on, the certificate that was shown, and why it is not trusted, if so."""

    version: str
    certificate: Certificate
    refusal: ssl.SSLCertVerificationError | None


def shake_hands(stream: socket.socket, host: str, context: ssl.SSLContext) -> tuple[str, bytes]:
    """Return the version of TLS and the certificate, as bytes. Raises OSError, of which ssl.SSLError is one."""
    with context.wrap_socket(stream, server_hostname=host) as wrapped:
        return wrapped.version() or "TLS", wrapped.getpeercert(binary_form=True) or b""


def trusting_nobody(context: ssl.SSLContext) -> ssl.SSLContext:
    """Return a context that takes any certificate, only to read it: nothing is sent over it."""
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    blind.minimum_version = context.minimum_version
    return blind


def read_certificate(content: bytes) -> Certificate:
    """Read a certificate. Raises ValueError when it is none."""
    read = x509.load_der_x509_certificate(content)
    return Certificate(_name(read.subject), _name(read.issuer), read.not_valid_before_utc, read.not_valid_after_utc)


def days_left(certificate: Certificate, now: datetime) -> int:
    """Return for how many whole days it still holds; below 0 it has expired."""
    return (certificate.ends - now.astimezone(UTC)).days


def _name(name: x509.Name) -> str:
    """Return the common name, else everything."""
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()
