"""Pseudonyms: the same patient, key and trial give the same one, and nothing else does."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortfinder.errors import ConfigurationError, InputError
from cohortfinder.report.pseudonyms import Pseudonyms, make_key, read_key

KEY = bytes(range(32))
texts = st.text(max_size=20)


def test_a_pseudonym_is_the_hmac_of_trial_and_patient_under_the_key() -> None:
    """By openssl: printf '2:T1p1' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1f, in base 32."""
    assert Pseudonyms(KEY, "T1").of("p1") == "MXQQW6XPR7UKQTOL"


@settings(max_examples=40)
@given(texts, texts, texts, texts)
def test_only_the_same_patient_of_the_same_trial_has_the_same_one(a: str, b: str, c: str, d: str) -> None:
    same = Pseudonyms(KEY, a).of(b) == Pseudonyms(KEY, c).of(d)
    assert same == ((a, b) == (c, d))


def test_another_key_gives_another_pseudonym_and_no_key_is_shown() -> None:
    ours = Pseudonyms(KEY, "T1")
    assert ours.of("p1") != Pseudonyms(bytes(32), "T1").of("p1")
    assert "key" not in repr(ours)


def test_a_key_is_for_its_owner_alone_and_never_written_over(tmp_path: Path) -> None:
    make_key(tmp_path / "keys" / "site.key")
    assert (tmp_path / "keys" / "site.key").stat().st_mode & 0o777 == 0o600
    kept = read_key(tmp_path / "keys" / "site.key")
    assert len(kept) == 32
    with pytest.raises(InputError, match="would change every pseudonym"):
        make_key(tmp_path / "keys" / "site.key")
    assert read_key(tmp_path / "keys" / "site.key") == kept


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    make_key(tmp_path / "site.key")
    (tmp_path / "site.key").chmod(0o640)
    with pytest.raises(ConfigurationError, match=r"may be read by others; do: chmod 600"):
        read_key(tmp_path / "site.key")


@pytest.mark.parametrize("text", ["no key", "ab" * 31, "ab" * 33, "\N{SNOWMAN}" * 64])
def test_what_is_no_key_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "site.key").write_text(text, encoding="utf-8")
    (tmp_path / "site.key").chmod(0o600)
    with pytest.raises(ConfigurationError, match="is no key for pseudonyms"):
        read_key(tmp_path / "site.key")


def test_where_there_is_no_key_the_command_that_makes_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cohortfinder keys pseudonyms --private"):
        read_key(tmp_path / "site.key")
