"""ValueSets of a site: what they say becomes rows of the concepts, and what cannot be said is refused with its place."""

import pytest

from unit.terminology.site_files import (
    ICD10,
    LOINC,
    RXNORM,
    SNOMED,
    clinical,
    codes,
    filtered,
    load,
    problems,
    site,
    value_set,
    write,
)

CONCEPT = "rx_belimumab"


def held(folder, *include, way="replace", concept="dx_sle", **rest):
    """Return what a concept holds with a ValueSet of these includes."""
    file = write(folder / "set.json", value_set(*include, **rest))
    return clinical(load(site((way, concept, file))), concept)


def refused(folder, *include, concept="dx_sle", **rest):
    """Return the complaints about a ValueSet."""
    file = write(folder / "set.json", value_set(*include, **rest))
    return problems(site(("replace", concept, file)), folder)


def test_replacing_leaves_nothing_of_ours(tmp_path):
    """The site's ValueSet is the concept."""
    assert held(tmp_path, codes(SNOMED, "55464009")) == {("55464009", "exact", "definite")}


def test_adding_keeps_ours(tmp_path):
    """The row of the site goes before ours of the same code."""
    ours = clinical(load(site()), "dx_sle")
    added = held(tmp_path, codes(ICD10, "M35.8"), codes(SNOMED, "55464009"), way="add")
    assert ("55464009", "descendants", "definite") in ours
    assert added == ours - {("55464009", "descendants", "definite")} | {
        ("M35.8", "exact", "definite"),
        ("55464009", "exact", "definite"),
    }


def test_suggesting_adds_codes_that_leave_it_open(tmp_path):
    """A code that may mean the disease is possible."""
    assert ("M35.8", "exact", "possible") in held(tmp_path, codes(ICD10, "M35.8"), way="suggest")


@pytest.mark.parametrize(
    ("system", "op", "value", "expected"),
    [
        (SNOMED, "is-a", "55464009", {("55464009", "descendants", "definite")}),
        (SNOMED, "descendent-of", "55464009", {("55464009", "descendants", "definite"), ("55464009", "exact", "-")}),
        (ICD10, "is-a", "M32", {("M32", "prefix", "definite")}),
        (ICD10, "descendent-of", "M32", {("M32", "prefix", "definite"), ("M32", "exact", "-")}),
        (ICD10, "regex", r"M32(\..*)?", {("M32", "prefix", "definite")}),
        (ICD10, "regex", r"^M32\.1$", {("M32.1", "exact", "definite")}),
        (ICD10, "regex", r"M3[2-4]\.*.*", None),
        (ICD10, "regex", r"M3[2-4].*", {("M32", "prefix", "definite"), ("M33", "prefix", "definite"), ("M34", "prefix", "definite")}),
        (ICD10, "regex", r"(M32|M33)\.1", {("M32.1", "exact", "definite"), ("M33.1", "exact", "definite")}),
        (ICD10, "regex", r"M32.*|L93", {("M32", "prefix", "definite"), ("L93", "exact", "definite")}),
        (ICD10, "in", "M32,L93", {("M32", "exact", "definite"), ("L93", "exact", "definite")}),
        (ICD10, "=", "M32", {("M32", "exact", "definite")}),
    ],
)  # fmt: skip
def test_a_filter_is_a_match_rule(tmp_path, system, op, value, expected):
    """In ICD and ATC a hierarchy is a prefix; what no rule says needs a server."""
    include = filtered(system, op, value, of="code" if op == "regex" else "concept")
    if expected is None:
        assert "cannot be said with match rules; run `cohortfinder expand`" in refused(tmp_path, include)[0]
    else:
        assert held(tmp_path, include) == expected


def test_what_a_set_excludes_is_kept_out(tmp_path):
    """An excluded code carves out of what is included, and a code that is both is out."""
    exclude = [codes(ICD10, "M32.0", "L93.0")]
    found = held(tmp_path, filtered(ICD10, "is-a", "M32"), codes(ICD10, "L93.0"), exclude=exclude)
    assert found == {("M32", "prefix", "definite"), ("M32.0", "exact", "-"), ("L93.0", "exact", "-")}


def test_a_set_may_take_in_another_of_the_same_folder(tmp_path):
    """By its address, with or without a version."""
    write(tmp_path / "inner.json", value_set(codes(ICD10, "M32.1"), url="http://site.example/inner"))
    write(tmp_path / "note.json", {"resourceType": "Basic"})
    found = held(tmp_path, codes(ICD10, "L93"), {"valueSet": ["http://site.example/inner|2"]})
    assert found == {("L93", "exact", "definite"), ("M32.1", "exact", "definite")}


def test_an_include_that_names_several_sets_holds_what_they_share(tmp_path):
    """FHIR says that all parts of one include must hold."""
    write(tmp_path / "a.json", value_set(codes(ICD10, "M32.1", "M32.8"), url="http://site.example/a"))
    write(tmp_path / "b.json", value_set(codes(ICD10, "M32.8", "M32.9"), url="http://site.example/b"))
    both = {"valueSet": ["http://site.example/a", "http://site.example/b"]}
    assert held(tmp_path, both) == {("M32.8", "exact", "definite")}
    own = {**codes(ICD10, "M32.1"), "valueSet": ["http://site.example/a"]}
    assert held(tmp_path, own) == {("M32.1", "exact", "definite")}


def test_what_an_inner_set_leaves_out_another_part_may_hold(tmp_path):
    """The exclusion of a set that is taken in speaks of that set only."""
    inner = value_set(filtered(ICD10, "is-a", "M32"), exclude=[codes(ICD10, "M32.0")], url="http://site.example/inner")
    write(tmp_path / "inner.json", inner)
    named = {"valueSet": ["http://site.example/inner"]}
    assert ("M32.0", "exact", "definite") in held(tmp_path, named, codes(ICD10, "M32.0"))
    (said,) = refused(tmp_path, named, filtered(ICD10, "is-a", "M3"))
    assert "what one include leaves out and another may hold cannot be said" in said


def test_an_expansion_is_taken_as_it_is(tmp_path):
    """Groups that cannot be chosen are passed over, what they hold is not."""
    contains = [
        {"system": ICD10, "code": "M32", "abstract": True, "contains": [{"system": ICD10, "code": "M32.1"}]},
        {"system": "urn:oid:2.16.840.1.113883.6.96", "code": "55464009"},
    ]
    given = {"resourceType": "ValueSet", "status": "active", "expansion": {"contains": contains}}
    file = write(tmp_path / "set.json", given)
    found = clinical(load(site(("replace", "dx_sle", file))), "dx_sle")
    assert found == {("M32.1", "exact", "definite"), ("55464009", "exact", "definite")}


def test_a_cut_expansion_is_refused(tmp_path):
    """A page of it is not the set."""
    expansion = {"total": 1204, "contains": [{"system": ICD10, "code": "M32.1"}]}
    file = write(tmp_path / "set.json", {"resourceType": "ValueSet", "status": "active", "expansion": expansion})
    said = problems(site(("replace", "dx_sle", file)), tmp_path)
    assert said == ["set.json:expansion: the expansion has 1 of 1204 codes; store it whole"]


def test_codes_of_a_laboratory_set_decide(tmp_path):
    """For an observation concept, single codes only."""
    file = write(tmp_path / "set.json", value_set(codes(LOINC, "99999-9")))
    read = load(site(("add", "inr", file)))
    assert ("99999-9", "local") in {(one.code, one.role) for one in read.observation_concepts["inr"].codes}
    (said,) = refused(tmp_path, filtered(LOINC, "is-a", "LP1-1"), concept="inr")
    assert said.startswith("set.json:compose.include[0].filter[0]: an observation concept takes single codes")


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        (codes("http://codes.example/x", "1"), "compose.include[0].system: unknown code system 'http://codes.example/x'; add it to code_systems.csv of your mappings"),
        (codes(SNOMED, "7.3211E+07"), "compose.include[0].concept[0]: code '7.3211E+07' was turned into a number by a spreadsheet; copy it again as text"),
        (codes(SNOMED, "55464008"), "compose.include[0].concept[0]: code '55464008' has a wrong check digit; compare it with its source"),
        (codes(SNOMED, ""), "compose.include[0].concept[0]: code '' is empty or has blanks around it"),
        ({"system": SNOMED}, "compose.include[0]: this takes the whole of http://snomed.info/sct; list its codes or give a filter"),
        ({"valueSet": ["http://site.example/none"]}, "compose.include[0].valueSet: no ValueSet 'http://site.example/none' lies beside this file; store it in the same folder"),
        (filtered(SNOMED, "=", "<< 55464009", of="constraint"), "compose.include[0].filter[0]: the filter 'constraint' = '<< 55464009' cannot be said with match rules; run `cohortfinder expand`, or list the codes"),
        (filtered(SNOMED, "is-a", ""), "compose.include[0].filter[0]: the filter 'concept' is-a '' cannot be said with match rules; run `cohortfinder expand`, or list the codes"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_its_place(tmp_path, include, expected):
    """The file, the path inside it, and what to do."""
    assert refused(tmp_path, include) == [f"set.json:{expected}"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{\n", "set.json:2: no JSON: Expecting property name enclosed in double quotes"),
        ({"resourceType": "Bundle"}, "set.json: this is Bundle, a ValueSet belongs here"),
        ([1], "set.json: this is no FHIR resource, a ValueSet belongs here"),
        ({"resourceType": "ValueSet"}, "set.json:compose: the ValueSet has neither an expansion nor a compose.include; add one"),
        ({"resourceType": "ValueSet", "compose": {"include": 3}}, "set.json:compose: the ValueSet has neither an expansion nor a compose.include; add one"),
        ({"resourceType": "ValueSet", "compose": {"include": [7]}}, "set.json:compose.include[0].system: unknown code system ''; add it to code_systems.csv of your mappings"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_value_set_is_refused(tmp_path, content, expected):
    """Without a traceback, whatever it holds."""
    file = write(tmp_path / "set.json", content)
    said = problems(site(("replace", "dx_sle", file)), tmp_path)
    assert said == [expected]


def test_a_missing_file_is_told_with_the_line_that_names_it(tmp_path):
    """The configuration is where to correct it."""
    (said,) = problems(site(("add", "dx_sle", tmp_path / "none.json")), tmp_path)
    assert said == "site.toml:3: none.json cannot be read (No such file or directory); correct the path"


def test_sets_that_name_each_other_in_a_circle_are_refused(tmp_path):
    """With the way around."""
    write(tmp_path / "b.json", value_set({"valueSet": ["http://site.example/a"]}, url="http://site.example/b"))
    a = write(tmp_path / "a.json", value_set({"valueSet": ["http://site.example/b"]}, url="http://site.example/a"))
    (said,) = problems(site(("add", "dx_sle", a)), tmp_path)
    assert said == (
        "b.json:compose.include[0].valueSet: the ValueSets name each other in a circle (a.json -> b.json -> a.json); "
        "cut it somewhere"
    )


def test_two_files_that_disagree_about_a_code_are_refused(tmp_path):
    """In one concept a code means one thing."""
    a = write(tmp_path / "a.json", value_set(codes(RXNORM, "1092437")))
    b = write(tmp_path / "b.json", value_set(codes(RXNORM, "1092437")))
    (said,) = problems(site(("add", CONCEPT, a), ("suggest", CONCEPT, b)), tmp_path)
    assert said == (
        "b.json:compose.include[0].concept[0]: code '1092437' of rx_belimumab means something else in "
        "a.json:compose.include[0].concept[0]; keep one of the two"
    )


def test_an_unknown_concept_is_told_with_the_nearest(tmp_path):
    """And how to make one of one's own."""
    file = write(tmp_path / "set.json", value_set(codes(RXNORM, "1092437")))
    (said,) = problems(site(("add", "rx_belimumap", file)), tmp_path)
    assert said == (
        "site.toml:3: unknown concept 'rx_belimumap'; did you mean 'rx_belimumab'?, or give it a row in concepts/ of your "
        "mappings"
    )


def test_a_csv_may_stand_for_a_concept(tmp_path):
    """With the columns of clinical_codes.csv, for this concept only."""
    head = "concept,system,code,match,include,strength,label,note,source\n"
    file = write(tmp_path / "c.csv", f"{head}dx_sle,{ICD10},M32,prefix,yes,definite,,,site\n")
    assert clinical(load(site(("replace", "dx_sle", file))), "dx_sle") == {("M32", "prefix", "definite")}
    (said,) = problems(site(("replace", "dx_ild", file)), tmp_path)
    assert said == "c.csv:2: this file is for 'dx_ild'; put other concepts into other files"
    (said,) = problems(site(("suggest", "dx_sle", file)), tmp_path)
    assert said == "site.toml:3: a CSV has a strength in each row; name it under [site.add]"
