"""Certificates that a test makes for itself: good ones, expired ones, those of an authority that nobody knows."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Authority:
    """Somebody who signs certificates; `bundle` is what has to be trusted for them."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey
    bundle: Path


def authority(folder: Path, name: str = "Test Hospital CA") -> Authority:
    key, subject = ec.generate_private_key(ec.SECP256R1()), _named(name)
    certificate = _signed(subject, subject, key, key, NOW - timedelta(days=1), NOW + timedelta(days=400), is_ca=True)
    bundle = folder / f"{name.replace(' ', '-')}.pem"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(subject, key, bundle)


def server_context(
    folder: Path, signer: Authority | None, *, name: str = "127.0.0.1", begins: int = -1, ends: int = 90
) -> ssl.SSLContext:
    """Return a context with a certificate of `name`; `begins` and `ends` in days from now. Without signer its own."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), _named(f"server {name}")
    issuer, signing = (signer.name, signer.key) if signer else (subject, key)
    certificate = _signed(
        subject, issuer, key, signing, NOW + timedelta(days=begins), NOW + timedelta(days=ends), host=name
    )
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _signed(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, signing: ec.EllipticCurvePrivateKey,
    begins: datetime, ends: datetime, *, is_ca: bool = False, host: str | None = None,
) -> x509.Certificate:  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
    )
    if host is not None:
        named = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        builder = builder.add_extension(x509.SubjectAlternativeName([named]), critical=False)
    if is_ca:
        builder = builder.add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )  # fmt: skip
    return builder.sign(signing, hashes.SHA256())
