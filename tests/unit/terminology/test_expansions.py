"""The kept answers of a terminology server: what they add to the concepts, and when they are not to be trusted."""

import pytest

from cohortfinder.jobs.screened import expansion_warnings
from cohortfinder.settings import Settings
from cohortfinder.site import SiteFile
from cohortfinder.terminology.expansions import content_hash
from unit.terminology.site_files import ICD10, SNOMED, clinical, codes, filtered, load, problems, site, value_set, write

LUPUS, DRUG_INDUCED, KIDNEY, DRUG_KIDNEY = "55464009", "80258006", "68815009", "36402006"
BELOW = {LUPUS: [DRUG_INDUCED, KIDNEY, DRUG_KIDNEY], DRUG_INDUCED: [DRUG_KIDNEY], KIDNEY: [DRUG_KIDNEY]}


def kept(folder, below=BELOW, **rest):
    """Write kept expansions of SNOMED codes and return where they are."""
    descendants = [{"system": SNOMED, "code": code, "below": held} for code, held in below.items()]
    held = {"format": 1, "expanded_at": "2026-11-20T02:00:00+00:00", "server": {"url": "https://tx.example"},
            "code_systems": [], "descendants": descendants, "value_sets": [], "problems": {}, **rest}  # fmt: skip
    content = {**held, "sha256": content_hash(held)}
    return SiteFile(write(folder / "expansions.json", content), "site.toml:7")


def held_by(folder, *include, exclude=(), **rest):
    """Return what a concept of these includes holds with the kept expansions, but for its own rows."""
    file = write(folder / "set.json", value_set(*include, exclude=list(exclude)))
    read = load(site(("replace", "dx_sle", file), expansions=kept(folder, **rest)))
    return {(code, strength) for code, match, strength in clinical(read, "dx_sle") if match == "exact"}


def test_codes_below_have_the_strength_of_the_code_above(tmp_path):
    """They are rows of the concept like any other."""
    found = held_by(tmp_path, filtered(SNOMED, "is-a", LUPUS))
    assert found == {(DRUG_INDUCED, "definite"), (KIDNEY, "definite"), (DRUG_KIDNEY, "definite")}


def test_the_nearest_code_above_decides(tmp_path):
    """What is below an exclusion is kept out; where an inclusion is as near, the exclusion wins."""
    exclude = [filtered(SNOMED, "is-a", DRUG_INDUCED)]
    found = held_by(tmp_path, filtered(SNOMED, "is-a", LUPUS), exclude=exclude)
    assert found == {(KIDNEY, "definite"), (DRUG_KIDNEY, "-")}
    both = held_by(tmp_path, filtered(SNOMED, "is-a", LUPUS), filtered(SNOMED, "is-a", KIDNEY), exclude=exclude)
    assert both == {(DRUG_KIDNEY, "-")}


def test_a_code_with_a_row_of_its_own_keeps_it(tmp_path):
    """It is more specific than anything above it."""
    found = held_by(
        tmp_path, filtered(SNOMED, "is-a", LUPUS), codes(SNOMED, KIDNEY), exclude=[codes(SNOMED, DRUG_KIDNEY)]
    )
    assert found == {(DRUG_INDUCED, "definite"), (KIDNEY, "definite"), (DRUG_KIDNEY, "-")}


def test_a_set_that_only_a_server_can_expand_has_its_codes(tmp_path):
    """They belong to the very content of the file: a changed one must be expanded again."""
    include = filtered(ICD10, "exists", "true", of="chapter")
    file = write(tmp_path / "set.json", value_set(include))
    given = site(("replace", "dx_sle", file))
    asked = load(given, asking=True).questions.value_sets
    assert list(asked.values()) == [file]
    answer = [{"file": "set.json", "sha256": next(iter(asked)), "codes": [[ICD10, "M32.1"]]}]
    given = site(("replace", "dx_sle", file), expansions=kept(tmp_path, value_sets=answer))
    assert clinical(load(given), "dx_sle") == {("M32.1", "exact", "definite")}
    write(file, value_set(include, title="changed"))
    assert "cannot be said with match rules; run `cohortfinder expand`" in problems(given, tmp_path)[0]


def test_a_missing_file_is_a_warning(tmp_path):
    """A site that asked for expansions is told that there are none yet."""
    given = site(expansions=SiteFile(tmp_path / "none.json", "site.toml:7"))
    (said,) = expansion_warnings(load(given), Settings(site=given))
    assert said == (
        f"{tmp_path / 'none.json'} is not there yet: codes below those of the concepts are not found; run `cohortfinder expand`."
    )
    assert expansion_warnings(load(site()), Settings()) == ()


def test_a_file_that_is_older_than_the_concepts_is_a_warning(tmp_path):
    """It counts the codes that were never asked; what the server could not answer was asked."""
    everything = load(site()).questions.codes
    some = {code: [] for _, code in everything[2:]}
    given = site(expansions=kept(tmp_path, below=some, problems={"|".join(everything[0]): "no such code"}))
    (said,) = expansion_warnings(load(given), Settings(site=given))
    assert said == (
        f"{tmp_path / 'expansions.json'} of 2026-11-20 is older than the concepts: 1 code of theirs was not expanded; "
        "run `cohortfinder expand`."
    )


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"format": 2}', None])
def test_a_damaged_file_is_refused(tmp_path, damage):
    """Also where a single code was changed by hand."""
    file = kept(tmp_path)
    changed = file.path.read_bytes().replace(KIDNEY.encode(), LUPUS.encode()) if damage is None else damage
    file.path.write_bytes(changed)
    said = problems(site(expansions=file), tmp_path)
    assert said == [
        "expansions.json: the kept expansions are damaged or were changed; write them again: cohortfinder expand"
    ]


def test_what_a_server_said_is_not_checked_digit_by_digit(tmp_path):
    """Its codes are its own word; one that is odd must not stop the night."""
    below = {**BELOW, KIDNEY: ["123456"]}
    assert ("123456", "definite") in held_by(tmp_path, filtered(SNOMED, "is-a", KIDNEY), below=below)


def test_products_are_no_hierarchy():
    """In RxNorm a product is not below its ingredient, so a server is not asked."""
    assert not [code for system, code in load(site()).questions.codes if "rxnorm" in system]
