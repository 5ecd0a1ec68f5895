"""`cohortfinder doctor`: each wrong situation has its sentence, its remedy and its status, and no patient is shown."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authorities import authority, server_context
from small_server import Habits, small_server

Run = Callable[..., Any]
CANARY = "Zwitscherkanari"
TRIAL = """\
trial: T-1
title: A small trial
time_zone: UTC
arms:
  A: {name: The only arm, entry: I-SLE}
inclusion:
  - {id: I-SLE, text: lupus, condition: dx_sle, ever: yes}
  - {id: I-AGE, text: adult, age: {at_least: 18}}
  - {id: I-ALT, text: liver, observation: alt, at_most: 100 U/L}
exclusion:
  - {id: E-AZA, text: no azathioprine, medication: rx_azathioprine, active: yes}
"""

TYPES = (
    "Patient", "Encounter", "Observation", "Condition", "Medication", "MedicationStatement", "MedicationRequest",
    "MedicationAdministration", "MedicationDispense",
)  # fmt: skip


def patient(number: int) -> dict[str, Any]:
    return {
        "resourceType": "Patient", "id": f"{CANARY}-{number}", "meta": {"lastUpdated": "2026-01-01T00:00:00Z"},
        "name": [{"family": CANARY}], "birthDate": "1980-01-01", "gender": "female",
        "identifier": [{"system": f"urn:{CANARY}", "value": CANARY}],
    }  # fmt: skip


def recorded(kind: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": kind, "id": f"{CANARY}-{kind.lower()}-{number}", "meta": {"lastUpdated": "2026-01-01T00:00:00Z"},
        "subject": {"reference": f"Patient/{CANARY}-{number}"}, **more,
    }  # fmt: skip


def result(number: int, *, local: bool = False) -> dict[str, Any]:
    system = f"https://{CANARY}.example/codes" if local else "http://loinc.org"
    return recorded(
        "Observation", number, status="final", code={"coding": [{"system": system, "code": "1742-6"}], "text": CANARY},
        effectiveDateTime="2026-01-01", note=[{"text": CANARY}],
        valueQuantity={"value": 30, "unit": "U/L", "system": "http://unitsofmeasure.org", "code": "U/L"}, referenceRange=[{"high": {"value": 40}}],
    )  # fmt: skip


def healthy() -> Habits:
    lupus = {"coding": [{"system": "http://snomed.info/sct", "code": "55464009"}]}
    return Habits({
        "Patient": [patient(number) for number in range(30)],
        "Encounter": [recorded("Encounter", n, status="finished", period={"start": "2026-01-01"}, **{"class": {"code": "AMB"}}) for n in range(30)],
        "Observation": [result(number) for number in range(30)],
        "Condition": [
            recorded("Condition", n, code=lupus, recordedDate="2026-01-01", clinicalStatus={"coding": [{"code": "active"}]}) for n in range(30)
        ],
        "MedicationStatement": [
            recorded("MedicationStatement", n, status="active", effectiveDateTime="2026-01-01",
                     medicationCodeableConcept={"coding": [{"system": "http://www.whocc.no/atc", "code": "L04AX01"}]})
            for n in range(30)
        ],
    })  # fmt: skip


@pytest.fixture
def examined(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run the doctor against a server with habits; what it prints comes without the breaks of lines."""
    (tmp_path / "trial.yaml").write_text(TRIAL)
    monkeypatch.chdir(tmp_path)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "REQUESTS_CA_BUNDLE", "FHIR_URL"):
        monkeypatch.delenv(name, raising=False)

    def examine(url: str, *options: str, fhir: str = "") -> Any:
        (tmp_path / "site.toml").write_text(f'trials = ["trial.yaml"]\n[fhir]\nurl = "{url}"\n{fhir}')
        done = run("doctor", "--config", "site.toml", *options)
        return replace(done, out=" ".join(done.out.split()))

    return examine


@contextmanager
def serving(**changes: Any) -> Iterator[str]:
    with small_server(replace(healthy(), **changes)) as url:
        yield url


def test_a_good_server_is_fine(examined: Run) -> None:
    habits = healthy()
    with small_server(habits) as url:
        done = examined(url)
    assert (done.status, done.out.split("looked at")[0].count("STOP")) == (0, 0)
    assert "server: Small Server 1.0, FHIR 4.0.1" in done.out
    assert (
        "what has changed can be asked for: Condition, Encounter, MedicationStatement, Observation, Patient" in done.out
    )
    assert "trial: T-1: all 4 criteria that are computed have a source of data here" in done.out
    assert "ok results: T-1: of each result that is asked for, the server has some under a code known here" in done.out
    assert "Pulling can work; nothing is in its way." in done.out
    assert {method for method, _ in habits.asked} == {"GET"}


def test_a_name_that_is_not_known(examined: Run) -> None:
    done = examined("https://fhir.hospital.invalid/fhir")
    assert done.status == 69
    assert "STOP name: the name fhir.hospital.invalid of the server is not known to the network (DNS)" in done.out
    assert "The server" not in done.out


def test_a_port_where_nothing_listens(examined: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = examined(f"http://127.0.0.1:{port}/fhir")
    assert done.status == 69
    assert f"127.0.0.1 refuses connections at port {port}: nothing listens there" in done.out
    assert f"1. Is the server running, and does it listen at port {port}?" in done.out


def test_a_certificate_that_has_expired(examined: Run, tmp_path: Path) -> None:
    signer = authority(tmp_path)
    with small_server(healthy(), tls=server_context(tmp_path, signer, begins=-40, ends=-7)) as url:
        done = examined(url, fhir=f'ca_bundle = "{signer.bundle}"\n')
    assert done.status == 69
    assert "the certificate of 127.0.0.1 has expired on" in done.out
    assert "1. Renew the certificate of 127.0.0.1." in done.out


def test_an_authority_that_is_not_known(examined: Run, tmp_path: Path) -> None:
    with small_server(healthy(), tls=server_context(tmp_path, authority(tmp_path))) as url:
        done = examined(url)
    assert done.status == 78
    assert "is signed by 'Test Hospital CA', who is not trusted here" in done.out


def test_an_authority_file_that_holds_none(examined: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    done = examined("https://localhost:1/fhir", fhir='ca_bundle = "empty.pem"\n')
    assert done.status == 78
    assert "empty.pem holds no certificates" in done.out


def test_a_proxy_that_wants_to_know_who_asks(examined: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as url:
        proxy = url.removesuffix("/fhir")
        monkeypatch.setenv("HTTPS_PROXY", proxy.replace("://", "://somebody:very-secret@"))
        done = examined("https://fhir.hospital.example/fhir")
    assert done.status == 78
    assert f"STOP proxy: the proxy {proxy.removeprefix('http://')} wants to know who asks (407)" in done.out
    assert "very-secret" not in done.out + done.err


def test_an_address_that_ends_in_metadata_is_understood(examined: Run) -> None:
    with serving() as url:
        done = examined(f"{url}/metadata")
    assert done.status == 0
    assert f"server: {url}, it is not told who asks" in done.out


def test_an_address_with_a_question_is_refused(examined: Run) -> None:
    done = examined("https://fhir.hospital.example/fhir?_format=json")
    assert done.status == 78
    assert "goes on after a ? or #; write the base address alone" in done.out


def test_a_page_to_log_in(examined: Run) -> None:
    with serving(metadata=(200, "text/html", b"<html>log in</html>")) as url:
        done = examined(url)
    assert done.status == 78
    assert f"{url} answers with a web page and not with FHIR: often one to log in" in done.out
    assert "What is the base address of the FHIR R4 server for programs, and how do they log in?" in done.out


def test_a_wrong_path(examined: Run) -> None:
    with serving(metadata=(404, "text/plain", b"nothing")) as url:
        done = examined(url)
    assert done.status == 78
    assert f"there is no FHIR server at {url} (404 for /metadata)" in done.out


def test_a_server_that_fails(examined: Run) -> None:
    with serving(metadata=(503, "text/plain", b"")) as url:
        done = examined(url)
    assert done.status == 69
    assert f"{url}/metadata is not answered: the server fails (503)" in done.out


def test_a_server_of_another_release(examined: Run) -> None:
    with serving(release="5.0.0") as url:
        done = examined(url)
    assert done.status == 78
    assert "the server speaks FHIR 5.0.0, and what is read here is R4 (4.0.1)" in done.out


def test_a_server_that_wants_to_know_who_asks(examined: Run) -> None:
    with serving(token="good") as url:
        done = examined(url)
    assert done.status == 77
    assert "the server wants to know who asks (401)" in done.out


def test_a_token_that_is_not_accepted(examined: Run, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("bad-and-secret")
    (tmp_path / "token").chmod(0o600)
    with serving(token="good") as url:
        done = examined(url, fhir='bearer_token_file = "token"\n')
    assert done.status == 77
    assert "the server does not accept who we say we are (401 for" in done.out
    assert "bad-and-secret" not in done.out + done.err


def test_a_token_that_is_accepted(examined: Run, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("good")
    (tmp_path / "token").chmod(0o600)
    with serving(token="good") as url:
        assert examined(url, fhir='bearer_token_file = "token"\n').status == 0


def with_oauth(examined: Run, tmp_path: Path, grant: tuple[int, dict[str, Any]]) -> tuple[Any, Habits]:
    """Run the doctor against a server beside an authorization server that answers so."""
    (tmp_path / "secret").write_text("very-secret")
    (tmp_path / "secret").chmod(0o600)
    habits = replace(healthy(), token="good", grant=grant, asked=[])
    with small_server(habits) as url:
        token_url = url.replace("/fhir", "/token")
        oauth = f'client_id = "cohortfinder"\nclient_secret_file = "secret"\ntoken_url = "{token_url}"\n'
        return examined(url, fhir=oauth), habits


def test_scopes_that_were_granted_are_compared_with_those_that_were_asked_for(examined: Run, tmp_path: Path) -> None:
    token = {"access_token": "good", "token_type": "bearer", "expires_in": 300}
    done, habits = with_oauth(examined, tmp_path, (200, {**token, "scope": "system/*.read"}))
    assert done.status == 0
    assert "ok access: the authorization server gives a token to cohortfinder" in done.out
    assert "ok scopes: what was asked for was granted: system/Condition.read" in done.out
    asked = next(scope for method, scope in habits.asked if method == "TOKEN").split()
    assert {"system/Patient.read", "system/MedicationStatement.read"} <= set(asked)
    few = " ".join(scope for scope in asked if scope != "system/Condition.read")
    done, _ = with_oauth(examined, tmp_path, (200, {**token, "scope": few}))
    assert done.status == 3
    assert "WARNING scopes: without a word these scopes were not granted: system/Condition.read" in done.out
    assert "Allow our client cohortfinder the scopes system/Condition.read." in done.out
    done, _ = with_oauth(examined, tmp_path, (200, {**token, "scope": "openid"}))
    assert done.status == 77
    assert "none of the scopes was granted" in done.out or "grants nothing of what was asked" in done.out


def test_a_client_that_gets_no_token(examined: Run, tmp_path: Path) -> None:
    done, _ = with_oauth(examined, tmp_path, (401, {"error": "invalid_client"}))
    assert done.status == 77
    assert "gives no token (401: invalid_client)" in done.out
    assert "Does the authorization server know our client cohortfinder" in done.out
    assert "very-secret" not in done.out + done.err


def test_a_token_address_that_gives_none(examined: Run, tmp_path: Path) -> None:
    done, _ = with_oauth(examined, tmp_path, (200, {"hello": "world"}))
    assert done.status == 78
    assert "Which address gives tokens (token_url)?" in done.out


def test_one_type_that_may_not_be_read(examined: Run) -> None:
    with serving(statuses={"Condition": 403}) as url:
        done = examined(url)
    assert done.status == 3
    assert "the server does not let us read Condition (403)" in done.out
    assert "Let our account read and search Condition (scopes system/Condition.read)." in done.out
    assert "T-1: I-SLE may stay unknown: they ask for condition, and there is no Condition to be read" in done.out


def test_one_type_for_which_who_we_are_is_not_enough(examined: Run) -> None:
    with serving(statuses={"Condition": 401}) as url:
        done = examined(url)
    assert done.status == 3
    assert "the server does not let us read Condition (401)" in done.out


def test_nothing_that_may_be_read(examined: Run) -> None:
    with serving(statuses=dict.fromkeys(TYPES, 403)) as url:
        done = examined(url)
    assert done.status == 77
    assert "the server lets us read nothing (403)" in done.out


@pytest.mark.parametrize(
    "page",
    [
        [], "page", {"resourceType": "Bundle"}, {"resourceType": "Bundle", "entry": "many", "link": {"next": 1}},
        {"resourceType": "Bundle", "entry": [None, 7, {"resource": []}, {"resource": {"resourceType": "Patient"}}]},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": [], "meta": 1}, "search": 3}]},
        {"resourceType": "Bundle", "link": [{"relation": "next", "url": "::"}, None, {"relation": "next", "url": 3}],
         "entry": [{"resource": {"resourceType": kind, "id": "x", "meta": []}} for kind in ("Patient", "Observation")] * 3},
        {"resourceType": "Bundle", "link": [{"relation": "next", "url": "?page=2"}],
         "entry": [{"resource": {"resourceType": kind, "id": []}} for kind in ("Patient", "Observation")] * 3},
        {"resourceType": "OperationOutcome", "issue": "none"},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Observation", "id": "x", "code": {"coding": [1]}}}]},
    ],
)  # fmt: skip
def test_pages_that_are_none_end_in_findings(examined: Run, page: Any) -> None:
    with serving(odd_page=page) as url:
        done = examined(url)
    assert done.status in (3, 69, 78)
    assert "Traceback" not in done.err
    assert done.out.endswith(("warnings.", "warning."))


@pytest.mark.parametrize(
    "statement", [[], 7, {"resourceType": "CapabilityStatement", "rest": [7], "fhirVersion": []}, {}]
)
def test_a_statement_that_is_none_ends_in_findings(examined: Run, statement: Any) -> None:
    with serving(metadata=(200, "application/json", json.dumps(statement).encode())) as url:
        done = examined(url)
    assert done.status in (3, 78)
    assert done.out.endswith(("warnings.", "warning."))


def test_a_server_that_is_silent_is_not_asked_for_every_type(examined: Run) -> None:
    habits = replace(healthy(), statuses=dict.fromkeys(TYPES, 0), asked=[])
    with small_server(habits) as url:
        done = examined(url)
    assert done.status == 69
    assert "cannot be searched (no answer)" in done.out
    assert len({path.split("?")[0] for _, path in habits.asked if "_count=50" in path}) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"passes_over": frozenset({"_lastUpdated"})}, "the server passes over _lastUpdated and answers with everything"),
        ({"refuses": frozenset({"_lastUpdated"})}, "the server refuses _lastUpdated"),
        ({"skew": timedelta(minutes=10)}, "the server's clock is 10 minutes ahead of that of this machine"),
        ({"skew": timedelta(minutes=-10)}, "the server's clock is 10 minutes behind that of this machine"),
        ({"links": "foreign"}, "links to the next page lead to http://inner.hospital.example and not to http://127.0.0.1"),
        ({"links": "none"}, "has no link to the next one, though there is more"),
        ({"passes_over": frozenset({"code", "combo-code"})}, "observations cannot be asked for by their codes"),
        ({"statuses": {"Patient": 500}}, "Patient cannot be searched (500)"),
    ],
)  # fmt: skip
def test_what_makes_a_pull_poorer_is_a_warning(examined: Run, changes: dict[str, Any], words: str) -> None:
    with serving(**changes) as url:
        done = examined(url)
    assert done.status == 3
    assert words in done.out


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strict": False}, "an unknown search parameter is passed over, though we ask for strict handling"),
        ({"links": "relative"}, "links to the next page are relative, and lead there"),
        ({"most": 5}, "the server gives pages of 5 where 200 are asked for"),
        ({"history": False}, "the server has no history of a type"),
        ({"history_links": False}, "the history of a type ends with its first page, though there is more"),
        ({"operations": ()}, "no $export is offered"),
        ({"software": "Epic"}, "_lastUpdated is not supported and resources come without meta.lastUpdated"),
    ],
)  # fmt: skip
def test_what_is_only_worth_knowing_is_no_warning(examined: Run, changes: dict[str, Any], words: str) -> None:
    with serving(**changes) as url:
        done = examined(url)
    assert done.status == 0
    assert words in done.out


def test_results_that_the_server_does_not_have_are_named_with_their_criteria(examined: Run) -> None:
    habits = healthy()
    others = [
        {**result(number), "code": {"coding": [{"system": "http://loinc.org", "code": "99999-9"}]}}
        for number in range(30)
    ]
    with serving(resources={**habits.resources, "Observation": others}) as url:
        done = examined(url)
        record = json.loads(examined(url, "--json").out)
    assert done.status == 3
    named = "Alanine aminotransferase (ALT) (I-ALT)"
    assert f"WARNING results: T-1: the server has no result under a code known here of {named}" in done.out
    assert "Under which codes are these results sent, and since when: Alanine aminotransferase (ALT)?" in done.out
    assert record["trials"][0]["without_results"] == [{"criterion": "I-ALT", "concepts": ["alt"]}]


def test_an_empty_server_is_one_warning(examined: Run) -> None:
    with serving(resources=dict.fromkeys(healthy().resources, ())) as url:
        done = examined(url)
    assert done.status == 3
    assert "WARNING reading: nothing is to be seen on the server, of no type" in done.out
    assert "Pulling can work; 1 warning." in done.out


def test_data_without_standard_codes_are_told_with_their_consequence(examined: Run) -> None:
    habits = healthy()
    local = [result(number, local=number < 25) for number in range(30)]
    with serving(resources={**habits.resources, "Observation": local}) as url:
        done = examined(url)
    assert done.status == 3
    assert "WARNING Observation: only few have a standard code" in done.out
    assert "Send standard codes with Observation" in done.out


def test_no_patient_is_shown_in_any_form(examined: Run, tmp_path: Path) -> None:
    habits = healthy()
    observations = [result(number, local=number < 5) for number in range(30)] + [
        {"resourceType": "Observation", "id": CANARY, "meta": {"lastUpdated": CANARY}, "valueInteger": CANARY}
    ]
    with serving(
        resources={**habits.resources, "Observation": observations},
        most=40,
        statuses={"Encounter": 403},
        refusal=CANARY,
    ) as url:
        told = examined(url, "--html", "page.html")
        record = examined(url, "--json")
    assert "some resources cannot be read" in told.out
    page = (tmp_path / "page.html").read_text()
    for shown in (told.out, told.err, record.out, record.err, page):
        assert CANARY.lower() not in shown.lower()
    assert "few" in page


def test_small_counts_are_not_to_be_had(examined: Run) -> None:
    habits = healthy()
    with serving(
        resources={**habits.resources, "Patient": [patient(1)], "Observation": habits.resources["Observation"][:27]}
    ) as url:
        record = json.loads(examined(url, "--json").out)
    sample = {one["resource_type"]: one for one in record["sample"]}
    assert sample["Patient"]["looked_at"] == "under 11"
    assert sample["Patient"]["aspects"]["birth_date"] == {"percent": None, "words": "all"}
    assert sample["Observation"]["looked_at"] == "27"


def test_the_record_tells_the_same_as_the_words(examined: Run) -> None:
    with serving(statuses={"Condition": 403}) as url:
        done = examined(url, "--json")
    record = json.loads(done.out)
    assert (record["exit_status"], record["software"], record["fhir"]) == (3, "Small Server 1.0", "4.0.1")
    assert record["trials"][0]["lacking"] == [{"criterion": "I-SLE", "kind": "condition", "any_of": ["Condition"]}]
    assert [section["title"] for section in record["sections"]][:2] == ["Configuration", "The way to the server"]
    assert record["questions"][0].startswith("Let our account read and search Condition")


def test_the_page_for_it_names_every_check(examined: Run) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "doctor.md").read_text()
    named = set(re.findall(r"^\|[^|]*\| ([^|]+?) \|", page, re.MULTILINE))
    checks = set()
    for changes in ({}, {"statuses": {"Condition": 403}, "software": "Epic"}, {"release": "5.0.0"}):
        with serving(**changes) as url:
            sections = json.loads(examined(url, "--json").out)["sections"]
        checks |= {one["check"] for section in sections for one in section["findings"]}
    assert checks - named == {*healthy().resources}


def test_a_configuration_is_told_with_everything_that_is_wrong(run: Run, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('threads = 0\ntime_zone = "Mars"\n[fhir]\nurl = "ftp://x"\nwarp = 9\n')
    done = run("doctor", "--config", tmp_path / "site.toml")
    assert done.status == 78
    told = " ".join(done.out.split())
    for place in ("site.toml:1:", "site.toml:2:", "site.toml:4:", "site.toml:5:"):
        assert place in told
    assert "Nothing can be pulled yet: 4 things to put right, 0 warnings." in told


def test_without_a_server_it_says_where_to_write_one(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FHIR_URL", raising=False)
    (tmp_path / "site.toml").write_text('trials = ["NCT0698396"]\n')
    done = run("doctor", "--config", tmp_path / "site.toml")
    assert done.status == 78
    assert "STOP server: no FHIR server is configured" in " ".join(done.out.split()).replace("STOP     ", "STOP ")
    assert "the trial NCT0698396 cannot be read" in " ".join(done.out.split())


def test_over_tls_with_its_own_authority_all_is_fine(examined: Run, tmp_path: Path) -> None:
    signer = authority(tmp_path)
    with small_server(healthy(), tls=server_context(tmp_path, signer)) as url:
        done = examined(url, fhir=f'ca_bundle = "{signer.bundle}"\n')
    assert done.status in (0, 3)
    assert "TLSv1.3, certificate of Test Hospital CA" in done.out
