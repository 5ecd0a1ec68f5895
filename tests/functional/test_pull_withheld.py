"""What a server labels after it was pulled, so that it must not be stored: it goes as if it had been deleted."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from cohortfinder.jobs.erase import erase
from cohortfinder.jobs.load import rebuild_tables
from cohortfinder.jobs.verify import verify
from exported_server import ExportedServer
from functional.test_erase import texts
from functional.test_pull import Site, condition, furnish, observation, order, patient
from searched_server import Resource, serving, with_habits

BY = pytest.mark.parametrize("way", ["--search", "--bulk"])
CANARY = "CANARY-7731"


@pytest.fixture
def site(tmp_path: Path, run: Callable[..., Any]) -> Iterator[Site]:
    with serving(ExportedServer()) as server:
        furnish(server)
        yield Site(tmp_path, server, run, page_size=7)


def restricted(resource: Resource) -> Resource:
    """Label a resource, with a text that must not be stored."""
    return {**resource, "meta": {"security": [{"code": "V"}]}, "text": {"status": "generated", "div": CANARY}}


def listed(site: Site, run: Callable[..., Any]) -> list[str]:
    """Who is a candidate."""
    run("screen", site.folder / "trial.yaml", "--config", site.folder / "site.toml", "--out", site.folder / "out")
    rows = (site.folder / "out" / "candidates.csv").read_text().splitlines()[1:]
    return [row.split(",")[1] for row in rows]


def stands_in(site: Site, text: str) -> list[str]:
    """The files of the store that hold a text."""
    files = [file for file in site.store.rglob("*") if file.is_file()]
    return [file.name for file in files if any(text.encode() in one for one in texts(file))]


@BY
@pytest.mark.parametrize("more", [(), ("--full",)], ids=["changes", "full"])
def test_a_patient_who_is_labelled_is_on_no_list_any_more(
    site: Site, run: Callable[..., Any], way: str, more: tuple[str, ...]
) -> None:
    """Her other records stay, as those of a patient who was deleted do."""
    site.pulled(way)
    assert listed(site, run) == ["a"]
    site.server.put(restricted(patient("a")))
    site.server.sleep(hours=1)
    told = site.pulled(way, *more)
    assert (told["dropped"], told["types"]["Patient"]["deleted"]) == (1, 1)
    assert (site.held("patient"), len(site.held())) == ([("b", "1")], 30)
    assert (listed(site, run), stands_in(site, CANARY)) == ([], [])
    rebuild_tables(site.store)
    assert (site.held("patient"), verify(site.store)) == ([("b", "1")], ())


@BY
def test_every_type_goes_by_its_label(site: Site, way: str) -> None:
    site.pulled(way)
    site.server.put(
        restricted(observation("o03")), restricted(condition("c1")), restricted(order("r1", "Medication/m1"))
    )
    site.server.put(observation("o04", value=1.0))
    site.server.sleep(hours=1)
    told = site.pulled(way)
    gone = {kind: one["deleted"] for kind, one in told["types"].items() if one["deleted"]}
    assert (told["dropped"], gone) == (3, {"Condition": 1, "MedicationRequest": 1, "Observation": 1})
    assert (site.held("condition"), site.held("medication_request")) == ([], [])
    assert (("o03", "1") in site.held(), ("o04", "2") in site.held()) == (False, True)


@BY
@pytest.mark.parametrize("anew", [True, False], ids=["new version", "same version"])
def test_without_the_label_she_is_there_again(site: Site, way: str, anew: bool) -> None:
    """Some servers change labels without a new version: then a full pull tells."""
    site.pulled(way)
    site.server.put(restricted(patient("a")))
    site.server.sleep(hours=1)
    site.pulled(way)
    if anew:
        site.server.put(patient("a"))
    else:
        del site.server.held["Patient", "a"]["meta"]["security"]
    site.server.sleep(hours=1)
    site.pulled(way, "--full")
    site.agrees()


def test_a_label_that_changes_no_version_is_seen_by_a_full_pull(site: Site) -> None:
    site.pulled()
    site.server.held["Patient", "a"]["meta"]["security"] = [{"code": "V"}]
    site.server.sleep(hours=1)
    site.pulled("--full")
    assert site.held("patient") == [("b", "1")]


def test_labels_that_a_site_adds_hold_for_what_is_in_the_store_with_a_full_pull(site: Site) -> None:
    site.server.put({**patient("a"), "meta": {"security": [{"code": "PSY"}]}})
    site.pulled()
    file = site.folder / "site.toml"
    file.write_text(file.read_text(encoding="utf-8") + 'exclude_labels = "PSY"\n', encoding="utf-8")
    site.pulled("--full")
    assert site.held("patient") == [("b", "1")]
    file.write_text(file.read_text(encoding="utf-8").replace('"PSY"', '"none"'), encoding="utf-8")
    site.pulled("--full")
    site.agrees()


def test_a_patient_who_is_labelled_while_she_is_paged_is_not_stored(site: Site) -> None:
    """A page had her before; the store does not hold her yet."""
    with_habits(site.server, repeats=3)
    site.server.put(*(patient(f"p{number}") for number in range(10)))

    def label(target: str) -> None:
        asked = dict(parse_qsl(urlsplit(target).query))
        if asked.get("_at") == "1" and "/Patient?" in site.server._kept[asked["_page"]][0]:
            site.server.before_answer = lambda _: None
            site.server.put(restricted(patient("p3")))

    site.server.before_answer = label
    told = site.pulled()
    assert (told["dropped"], told["types"]["Patient"]["deleted"]) == (1, 1)
    assert "p3" not in {own_id for own_id, _ in site.held("patient")}
    assert len(site.held("patient")) == 11
    assert stands_in(site, CANARY) == []


@BY
def test_who_was_never_held_leaves_no_id_in_the_store(site: Site, way: str) -> None:
    site.server.put(restricted(patient("secret-8841")), restricted(observation("secret-8842", of="secret-8841")))
    assert site.pulled(way)["dropped"] == 2
    assert site.pulled(way, "--full")["dropped"] == 2
    assert stands_in(site, "secret-884") == []


@BY
def test_who_was_erased_and_is_labelled_leaves_no_id_in_the_store(site: Site, way: str) -> None:
    site.server.put(patient("her-8843"))
    site.pulled(way)
    erase(site.store, "her-8843")
    site.server.put(restricted(patient("her-8843")))
    site.server.sleep(hours=1)
    site.pulled(way)
    site.server.delete("Patient", "her-8843")
    site.server.sleep(hours=1)
    site.pulled(way)
    assert stands_in(site, "her-8843") == []
