"""Addresses: where the link of a server leads, what is one origin, and what may be shown."""

import pytest

from cohortfinder.address import base_address, origin, same_origin
from cohortfinder.errors import ConfigurationError, ProtocolError
from cohortfinder.fhir.address import followed, shown_question

BASE = "https://h.example/fhir/r4"


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        (f"{BASE}/Observation?page=2", f"{BASE}/Observation?page=2"),
        (f"{BASE}?_getpages=a-b&_getpagesoffset=200", f"{BASE}?_getpages=a-b&_getpagesoffset=200"),
        ("/fhir/r4?_getpages=a-b", f"{BASE}?_getpages=a-b"),
        ("/Observation?_count=10&_offset=10", f"{BASE}/Observation?_count=10&_offset=10"),
        ("Observation?_offset=10", f"{BASE}/Observation?_offset=10"),
        ("?page=2", f"{BASE}/Observation?page=2"),
        (f"{BASE}/Observation?date=ge2026-01-01T00:00:00%2B01:00&a=b%7Cc&&x", f"{BASE}/Observation?date=ge2026-01-01T00:00:00%2B01:00&a=b%7Cc&&x"),
        ("//other.example/fhir?page=2", "https://other.example/fhir?page=2"),
        ("http://h.example/fhir/r4?page=2", "http://h.example/fhir/r4?page=2"),
    ],
)  # fmt: skip
def test_a_link_leads_where_the_server_means(link: str, leads: str) -> None:
    """Whole, from the root of the host, from the base, or a question alone; the question stays to the letter."""
    assert followed(link, answered=f"{BASE}/Observation?_count=200", base=BASE) == leads


@pytest.mark.parametrize("link", ["javascript:alert(1)", "http://[::1/fhir", "ftp://h.example/x", "http://h:x/"])
def test_a_link_that_is_no_address_is_told(link: str) -> None:
    with pytest.raises(ProtocolError, match=f"^{BASE} gave a link that is no address"):
        followed(link, answered=BASE, base=BASE)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://h.example/a", "https://H.example:443/b?c", True),
        ("http://h.example:80", "http://h.example", True),
        ("https://h.example", "http://h.example", False),
        ("https://h.example", "https://h.example:444", False),
        ("https://h.example", "https://h.example.evil.example", False),
        ("https://h.example", "https://h.example@evil.example", False),
    ],
)
def test_what_is_one_origin(one: str, other: str, same: bool) -> None:
    assert same_origin(one, other) is same


def test_an_origin_shows_nothing_else() -> None:
    assert origin("https://me:word@h.example:8443/Patient/1?name=x") == "https://h.example:8443"


@pytest.mark.parametrize("url", [f"{BASE}/", f" {BASE}/metadata", f"{BASE}/metadata/"])
def test_a_base_address_is_taken_as_people_write_it(url: str) -> None:
    assert base_address(url) == BASE


@pytest.mark.parametrize(
    "url", ["h.example/fhir", "", "https://", "https://h.example/r4?x=1", "https://u:p@h.example/r4"]
)
def test_what_is_no_base_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        base_address(url)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/Observation?patient=p-7", "Observation"), ("/Patient/p-7", "Patient/..."), ("/Patient/p-7/_history/3", "Patient/.../_history/..."),
        ("/Group/g/$export?patient=p", "Group/.../$export"), ("/metadata", "metadata"), ("?_getpages=x", "the base"),
    ],
)  # fmt: skip
def test_of_a_question_only_what_fhir_names_is_shown(path: str, shown: str) -> None:
    assert shown_question(BASE + path, BASE) == shown


def test_of_another_origin_only_the_origin_is_shown() -> None:
    assert shown_question("https://storage.example/bucket/p-7?sig=abc", BASE) == "https://storage.example"
