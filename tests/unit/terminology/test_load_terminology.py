"""The readers of the mapping files: what they refuse, with file and line."""

import shutil
import time
from decimal import Decimal
from pathlib import Path

import pytest

from cohortfinder.errors import ConfigurationError
from cohortfinder.site import Site, SiteFile
from cohortfinder.terminology import ReferenceRange, load_terminology
from cohortfinder.terminology.codes import code_damage, has_snomed_check_digit

MAPPINGS = Path(__file__).resolve().parents[3] / "mappings"


@pytest.fixture
def mappings(tmp_path):
    """A copy of the mapping files that a test may spoil."""
    return shutil.copytree(MAPPINGS, tmp_path / "mappings")


def append(path: Path, line: str) -> int:
    """Add a line and return its number."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        (
            "concepts/observation_codes.csv",
            "creatinin_serum,http://loinc.org,1-8,primary,,,x",
            "did you mean 'creatinine_serum'",
        ),
        ("concepts/observation_codes.csv", "inr,http://loinc.org,1-8,main,,,x", "unknown role 'main'"),
        (
            "concepts/observation_codes.csv",
            "inr,http://loinc.org,2160-0,primary,,,x",
            "the same row stands in line",
        ),
        (
            "concepts/observation_concepts.csv",
            "new,New,number,g/L,,,laboratory,,,,x",
            "unknown value_kind 'number'",
        ),
        ("concepts/observation_concepts.csv", "new,New,quantity,,,,laboratory,,,,x", "needs a unit"),
        ("derived.csv", "hemoglobin,1,,neutrophil_percent,,x", "unknown concept 'neutrophil_percent'"),
        ("derived.csv", "hemoglobin,1,leukocyte_count,neutrophils_percent,,x", "in % of a whole in that unit"),
        ("derived.csv", "hemoglobin,1,,platelet_count,,x", "in the unit of the concept"),
        ("remarks.csv", "spo2,method,Room Air,room_air,statement", "must be lower case"),
        ("remarks.csv", "spo2,method,hyperbaric,room_air,verdict", "unknown effect 'verdict'"),
        ("remarks.csv", "spo3,method,hyperbaric,on_oxygen,statement", "unknown concept 'spo3'"),
        ("concepts/observation_concepts.csv", "new,New,ordinal,,,,weekly,,,,x", "unknown group 'weekly'"),
        (
            "concepts/clinical_codes.csv",
            "dx_sle,http://snomed.info/sct,55464008,exact,yes,definite,,,x",
            "wrong check digit",
        ),
        (
            "concepts/clinical_codes.csv",
            "dx_sle,http://snomed.info/sct,1.10E+15,exact,yes,definite,,,x",
            "by a spreadsheet",
        ),
        (
            "concepts/clinical_codes.csv",
            "dx_sle,http://snomed.info/sct,55464009,exact,no,,,,x",
            "the same row stands in line",
        ),
        (
            "concepts/clinical_codes.csv",
            "dx_sle,http://hl7.org/fhir/sid/icd-10,M99,exact,no,definite,,,x",
            "an excluded one has none",
        ),
        ("concepts/text_terms.csv", "dx_slee,en,lupus,phrase,,x", "unknown concept 'dx_slee'"),
        ("concepts/clinical_concepts.csv", "rx_new,medication,chronic,New", "other domains have none"),
        ("units.csv", "*,t,kg,1e3,0,x", "no plain decimal"),
        ("units.csv", "*,t,kg,-1,0,x", "the factor above 0"),
        ("units.csv", "inrr,t,1,1,0,x", "did you mean 'inr'"),
        ("concepts/drug_effects.csv", "rx_nothing,30,,x", "is no concept of the domain medication"),
        ("concepts/drug_effects.csv", "rx_azathioprine,month,,x", "no whole number of days"),
        ("concepts/drug_effects.csv", "rx_azathioprine,30,oral,x", "unknown route 'oral'"),
        ("units.csv", "*,kg,stone,0.157,0,x", "'stone' is the unit of no concept, so that this converts to nothing"),
        ("units.csv", "hemoglobin,g/dL,kg,1,0,x", "hemoglobin is compared in g/L, so that this converts to nothing"),
        ("unit_aliases.csv", "Gramm pro Liter,g/l,x", "nothing converts the unit 'g/l'; did you mean 'g/L'?"),
        ("unit_aliases.csv", "Klicks,klick,x", "nothing converts the unit 'klick'"),
        ("reference_ranges.csv", "hemoglobin,*,mmol/L,7,8,9,10,x", "hemoglobin is compared in g/L; convert the limits"),
        ("concepts/text_cautions.csv", "nie,de,never", "unknown effect 'never'"),
        ("products.csv", "urn:x,1,urn:none,1256,,,,,,x", "unknown code system 'urn:none'"),
        (
            "products.csv",
            "urn:x,1,http://www.nlm.nih.gov/research/umls/rxnorm,1256,2.5,,,,,x",
            "strength_value and strength_unit stand together",
        ),
        (
            "products.csv",
            "urn:x,1.1E+12,http://www.nlm.nih.gov/research/umls/rxnorm,1256,,,,,,x",
            "was turned into a number",
        ),
        ("sex_codes.csv", "http://loinc.org,LA2-8,m,x", "unknown sex 'm'"),
        ("lookback.csv", "weekly,x,7", "no whole number of days"),
        ("ordinal_words.csv", "Positive,positive,en", "must be lower case"),
        ("ordinal_codes.csv", "http://loinc.org,LA0-0,maybe,,x", "unknown polarity 'maybe'"),
        ("system_words.csv", "READ,http://read.example", "unknown address"),
        ("numeric_answers.csv", "nyha_class,text,Class II,2,x", "must be lower case"),
        ("numeric_answers.csv", "nyha,text,two,2,x", "unknown concept 'nyha'"),
        ("reference_ranges.csv", "ldh,*,U/L,250,200,,,x", "the low one first"),
        ("study_kinds.csv", "category,Registry,observational,x", "must be lower case"),
        ("study_kinds.csv", "category,registry,unsure,x", "unknown kind 'unsure'"),
        ("code_systems.csv", "LOINC,http://loinc.org,LOINC/", "must be lower case"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line(mappings, file, line, message):
    """Whoever edits a mapping sees which line to repair."""
    number = append(mappings / file, line)
    with pytest.raises(ConfigurationError) as caught:
        load_terminology(mappings)
    assert f"{mappings / file}:{number}: " in str(caught.value)
    assert message in str(caught.value)


def test_all_problems_are_reported_at_once(mappings):
    """One run shows everything to repair."""
    append(mappings / "units.csv", "*,t,kg,1e3,0,x")
    append(mappings / "lookback.csv", "weekly,x,7")
    with pytest.raises(ConfigurationError) as caught:
        load_terminology(mappings)
    assert {"units.csv", "lookback.csv"} == {Path(line.split(":")[0]).name for line in str(caught.value).splitlines()}


def test_a_file_that_was_damaged_as_a_whole_is_told_by_its_first_hundred_rows(mappings):
    """Nobody reads thousands of lines."""
    for number in range(150):
        append(mappings / "ordinal_words.csv", f"word {number},maybe,en")
    with pytest.raises(ConfigurationError) as caught:
        load_terminology(mappings)
    lines = str(caught.value).splitlines()
    assert (len(lines), lines[-1]) == (101, "and 50 more")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"group,prescreen_days\n", ":1: the columns must be group, prescreen_days, protocol_days"),
        (b"group,prescreen_days,protocol_days\nscore,90\n", ":2: 2 cells where 3 belong"),
        (b"group,prescreen_days,protocol_days\nsc\xfcre,90,28\n", ":2: byte 0xfc is not UTF-8"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(mappings, content, message):
    """Other columns, a missing cell or another encoding."""
    (mappings / "lookback.csv").write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        load_terminology(mappings)


def test_a_missing_file_is_named(mappings):
    """A broken installation says which file it lacks."""
    (mappings / "units.csv").unlink()
    with pytest.raises(ConfigurationError, match=r"units\.csv: the mapping file is missing"):
        load_terminology(mappings)


def test_a_site_adds_codes_and_replaces_rows(tmp_path):
    """A site's file of the same name extends what ships; its row wins over the one with the same key."""
    (tmp_path / "concepts").mkdir()
    (tmp_path / "concepts/observation_codes.csv").write_text(
        "concept,system,code,role,label,note,source\ninr,urn:site,GER1,local,INR,,site\n", encoding="utf-8"
    )
    (tmp_path / "lookback.csv").write_text("group,prescreen_days,protocol_days\nscore,60,14\n", encoding="utf-8")
    site = load_terminology(MAPPINGS, Site(mappings=SiteFile(tmp_path, "site.toml:1")))
    assert "GER1" in {code.code for code in site.observation_concepts["inr"].codes}
    assert site.lookback["score"].prescreen_days == 60
    assert site.sha256 != load_terminology(MAPPINGS).sha256


def test_the_hash_changes_with_one_byte_of_a_mapping_and_not_with_prose(mappings):
    """A run records which facts it stood on."""
    before = load_terminology(mappings).sha256
    (mappings / "README.md").write_text("other words", encoding="utf-8")
    assert load_terminology(mappings).sha256 == before
    append(mappings / "ordinal_words.csv", "jawohl,positive,de")
    assert load_terminology(mappings).sha256 != before


def test_loading_is_fast():
    """Every command loads the terminology, so it must not be felt; the best of five, on a busy machine."""
    durations = []
    for _ in range(5):
        start = time.process_time()
        load_terminology(MAPPINGS)
        durations.append(time.process_time() - start)
    assert min(durations) < 0.15


@pytest.mark.parametrize(
    ("system", "code", "damage"),
    [
        ("http://snomed.info/sct", "7.3211E+07", "was turned into a number by a spreadsheet"),
        ("http://snomed.info/sct", "7,3211E+07", "was turned into a number by a spreadsheet"),
        ("http://snomed.info/sct", "101711000119000", "has a wrong check digit"),
        ("http://snomed.info/sct", "999480451000087000", "was cut to 15 digits by a spreadsheet"),
        ("http://snomed.info/sct", "055464009", "is no SNOMED CT identifier"),
        ("http://snomed.info/sct", "55464009.0", "is no SNOMED CT identifier"),
        ("http://hl7.org/fhir/sid/cvx", "3", "has lost its leading zero"),
        ("http://hl7.org/fhir/sid/icd-9-cm", "8.8", "has lost its leading zero"),
        ("http://www.cms.gov/Medicare/Coding/ICD10", "210093", "has lost its leading zero"),
        ("http://loinc.org", "08. Jan", "is no code of http://loinc.org"),
        ("http://loinc.org", "2001-08-01", "is no code of http://loinc.org"),
        ("http://www.nlm.nih.gov/research/umls/rxnorm", "1256.0", "is no code of"),
        ("http://hl7.org/fhir/sid/icd-10", "32.1", "is no code of"),
        ("http://www.whocc.no/atc", "L04AX0", "is no code of"),
        ("http://hl7.org/fhir/sid/cvx", " 03", "is empty or has blanks around it"),
    ],
)
def test_a_code_that_a_spreadsheet_damaged_is_known_by_its_shape(system, code, damage):
    """Each system loses something else."""
    assert damage in code_damage(system, code)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("\ufeffgroup,prescreen_days,protocol_days\nscore,60,14\n".encode(), None),
        (b"group;prescreen_days;protocol_days\nscore;60;14\n", ":1: the columns are separated by semicolons; save it as CSV with commas"),
        (b"group\tprescreen_days\tprotocol_days\n", ":1: the columns are separated by tabs; save it as CSV with commas"),
        ("group,prescreen_days,protocol_days\n".encode("utf-16"), ":1: this is UTF-16; save it as CSV in UTF-8"),
        (b"group,prescreen_days,protocol_days\nscore,60,14\n" + b"\xe4,60,14\n", ":3: byte 0xe4 is not UTF-8; save the whole file as CSV in UTF-8"),
        (b'group,prescreen_days,protocol_days\n"score,60,14\n', ":2: cannot be read as CSV (unexpected end of data)"),
        (b"", ":1: the columns must be group, prescreen_days, protocol_days"),
    ],
)  # fmt: skip
def test_a_file_of_a_spreadsheet_is_read_or_refused_clearly(tmp_path, content, expected):
    """A byte order mark does no harm; other separators and encodings do."""
    (tmp_path / "lookback.csv").write_bytes(content)
    site = Site(mappings=SiteFile(tmp_path, "site.toml:1"))
    if expected is None:
        assert load_terminology(MAPPINGS, site).lookback["score"].prescreen_days == 60
        return
    with pytest.raises(ConfigurationError) as caught:
        load_terminology(MAPPINGS, site)
    assert str(caught.value) == f"{tmp_path / 'lookback.csv'}{expected}"


def test_a_file_of_a_name_that_no_mapping_has_is_refused(tmp_path):
    """It would be passed over in silence; so would a folder that is not there."""
    (tmp_path / "concepts").mkdir()
    (tmp_path / "concepts/clinical_code.csv").write_text("x\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"did you mean 'concepts/clinical_codes\.csv'\?"):
        load_terminology(MAPPINGS, Site(mappings=SiteFile(tmp_path, "site.toml:1")))
    (tmp_path / "concepts/clinical_code.csv").unlink()
    shutil.copy(MAPPINGS / "derived.csv", tmp_path)
    with pytest.raises(ConfigurationError, match=r"no mapping that a site may change has the name 'derived\.csv'"):
        load_terminology(MAPPINGS, Site(mappings=SiteFile(tmp_path, "site.toml:1")))
    with pytest.raises(ConfigurationError, match=r"^site\.toml:1: .*none is no folder; correct the path$"):
        load_terminology(MAPPINGS, Site(mappings=SiteFile(tmp_path / "none", "site.toml:1")))


def test_check_digits():
    """Known identifiers pass, and every change of one digit is caught."""
    assert all(map(has_snomed_check_digit, ("55464009", "90781000119102", "22298006")))
    spoiled = [
        "55464009"[:place] + digit + "55464009"[place + 1 :]
        for place in range(8)
        for digit in "0123456789"
        if digit != "55464009"[place]
    ]
    assert not any(map(has_snomed_check_digit, spoiled))


def test_of_ranges_that_differ_by_sex_the_one_inside_both_is_kept():
    """Creatinine: 97 is assumed of men, 73 of women, so that a value of 73 is normal in everybody."""
    ranges = load_terminology(MAPPINGS).ranges
    assert ranges["creatinine_serum"] == ReferenceRange("umol/L", None, Decimal(73))
    assert ranges["igg"] == ReferenceRange("g/L", Decimal("8.6"), None)


def test_a_mg_of_the_drug_itself_counts_as_one():
    """Prednisone and prednisolone as prednisone; not budesonide, nor a name that may be one of several drugs."""
    itself = load_terminology(MAPPINGS).doses["rx_glucocorticoid_systemic"].itself
    rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    assert (rxnorm, "8640") in itself
    assert (rxnorm, "6902") not in itself
    assert (rxnorm, "19831") not in itself
