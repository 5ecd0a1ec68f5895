"""Keys of SMART Backend Services: what they sign, which are refused and why, and how they are changed."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jwt
from joserfc.jwk import KeySet

from cohortfinder.cli.main import status_of
from cohortfinder.errors import ConfigurationError, InputError
from cohortfinder.fhir.keys import new_key, private_jwks, public_jwks, read_keys
from cohortfinder.jobs.keys import generate_keys, rotate_keys

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def pem(key, encryption=None) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_who_asks_is_signed_as_the_standard_says(algorithm: str) -> None:
    """Issuer and subject are the client, the audience is the token endpoint; good for minutes, and for one use."""
    (key,) = read_keys(private_jwks([new_key(algorithm, "one")]), place="file")
    signed = [key.assertion("client", "https://as.example/token", now=NOW) for _ in range(2)]
    known = KeySet.import_key_set(json.loads(public_jwks([key])))
    decoded = [jwt.decode(text, known, algorithms=[algorithm]) for text in signed]
    assert decoded[0].header == {"alg": algorithm, "kid": "one", "typ": "JWT"}
    claims = decoded[0].claims
    assert {name: claims[name] for name in ("iss", "sub", "aud")} == {
        "iss": "client", "sub": "client", "aud": "https://as.example/token",
    }  # fmt: skip
    assert 0 < claims["exp"] - NOW.timestamp() <= 300
    assert decoded[0].claims["jti"] != decoded[1].claims["jti"]


def test_the_public_half_holds_nothing_private() -> None:
    keys = [new_key("ES384", "a"), new_key("RS384", "b")]
    held = json.loads(public_jwks(keys))["keys"]
    assert [(one["kid"], one["alg"], one["use"], one["key_ops"]) for one in held] == [
        ("a", "ES384", "sig", ["verify"]), ("b", "RS384", "sig", ["verify"]),
    ]  # fmt: skip
    assert [set(one) & {"d", "p", "q", "dp", "dq", "qi"} for one in held] == [set(), set()]


def test_a_key_in_pem_takes_its_name_from_the_configuration() -> None:
    (key,) = read_keys(pem(ec.generate_private_key(ec.SECP384R1())), place="file", kid="mine")
    assert (key.kid, key.algorithm) == ("mine", "ES384")
    (key,) = read_keys(pem(rsa.generate_private_key(65537, 2048)), place="file", kid="mine")
    assert (key.kid, key.algorithm) == ("mine", "RS384")


def test_of_several_keys_the_named_one_is_taken() -> None:
    text = private_jwks([new_key("ES384", "a"), new_key("ES384", "b")])
    assert [key.kid for key in read_keys(text, place="file")] == ["a", "b"]
    assert [key.kid for key in read_keys(text, place="file", kid="b")] == ["b"]


def without(text: str, name: str) -> str:
    held = json.loads(text)["keys"][0]
    del held[name]
    return json.dumps(held)


RSA = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (lambda: public_jwks([new_key("ES384", "a")]), "the key is public; the private half belongs there"),
        (lambda: without(private_jwks([new_key("ES384", "a")]), "kid"), "the key has no name (kid); give it as smart_key_id"),
        (lambda: pem(RSA), "the key has no name (kid); give it as smart_key_id"),
        (lambda: pem(RSA, BestAvailableEncryption(b"word")), "the key has a passphrase; write it without: openssl pkey -in KEY -out NEW"),
        (lambda: RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), "the key is public; the private half belongs there"),
        (lambda: pem(ed25519.Ed25519PrivateKey.generate()), "the file holds no RSA or EC key in PEM"),
        (lambda: "-----BEGIN NOTHING-----", "the file holds no RSA or EC key in PEM"),
        (lambda: "{}", "the file is neither a JWKS nor a key in PEM"),
        (lambda: "[1]", "the file is neither a JWKS nor a key in PEM"),
        (lambda: '{"keys": []}', "the file holds no RSA or EC key"),
        (lambda: '{"keys": [{"kty": "RSA", "kid": "a"}]}', "the file is neither a JWKS nor a key in PEM"),
        (lambda: '{"keys": [{"kty": "oct", "k": "abc", "kid": "a"}]}', "the file holds no RSA or EC key"),
        (lambda: private_jwks([new_key("ES384", "a")]).replace('"ES384"', '"ES512"'), "the key is for ES512; SMART asks for ES384 or RS384"),
    ],
)  # fmt: skip
def test_a_key_that_will_not_do_is_told_why(text, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_keys(text(), place="site.toml:3")
    assert str(caught.value) == f"site.toml:3: {said}"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (lambda: rsa.generate_private_key(65537, 1024), "the RSA key has 1024 bits; 2048 are needed"),
        (lambda: ec.generate_private_key(ec.SECP256R1()), "the curve of the key is P-256; it must be P-384"),
    ],
)
def test_a_weak_key_is_refused(key, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_keys(pem(key()), place="file", kid="a")


def test_a_name_that_no_key_has_is_told() -> None:
    with pytest.raises(ConfigurationError, match="no key has the name 'c' of smart_key_id; known are a"):
        read_keys(private_jwks([new_key("ES384", "a")]), place="file", kid="c")


def test_a_new_pair_is_for_its_owner_alone_and_never_written_over(tmp_path: Path) -> None:
    private, public = tmp_path / "secrets/private.jwks", tmp_path / "public.jwks"
    pair = generate_keys(private, public, "RS384", now=NOW)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert [key.kid for key in read_keys(private.read_text(), place="file")] == [*pair.kids]
    assert pair.kids[0].startswith("2026-11-20-")
    assert [one["kid"] for one in json.loads(public.read_text())["keys"]] == [*pair.kids]
    with pytest.raises(InputError, match="is there already and stays as it is"):
        generate_keys(private, public, "ES384", now=NOW)


def test_a_rotation_keeps_the_key_before_and_its_kind(tmp_path: Path) -> None:
    """So that no night is without a key that the server knows."""
    private, public = tmp_path / "private.jwks", tmp_path / "public.jwks"
    first = generate_keys(private, public, "RS384", now=NOW).kids
    second = rotate_keys(private, public, now=NOW).kids
    third = rotate_keys(private, public, now=NOW).kids
    assert (second[1:], third[1:]) == (first, second[:1])
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert {one["alg"] for one in json.loads(public.read_text())["keys"]} == {"RS384"}


def test_the_command_writes_where_the_configuration_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cohortfinder.toml").write_text(
        '[fhir]\nurl = "https://h.example/r4"\nsmart_client_id = "c"\nsmart_key_file = "keys/mine.jwks"\n'
    )
    assert status_of(["keys", "rotate"]) == 64
    assert "keys/mine.jwks is not there; to make a key: cohortfinder keys generate" in capfd.readouterr().err
    assert status_of(["keys", "generate", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["private"], told["public"]) == ("keys/mine.jwks", "keys/public.jwks")
    assert status_of(["keys", "rotate"]) == 0
    assert told["kids"][0] in Path("keys/public.jwks").read_text()
    assert '"d"' not in capfd.readouterr().out
