"""Every factor of units.csv, derived again here from molar masses, powers of ten and definitions."""

import csv
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortfinder.terminology import Terminology, load_terminology

MAPPINGS = Path(__file__).resolve().parents[3] / "mappings"
TERMINOLOGY: Terminology = load_terminology(MAPPINGS)

with (MAPPINGS / "units.csv").open(encoding="utf-8", newline="") as stream:
    ROWS = tuple(csv.DictReader(stream))
with (MAPPINGS / "unit_aliases.csv").open(encoding="utf-8", newline="") as stream:
    ALIASES = {row["alias"]: row["unit"] for row in csv.DictReader(stream)}

KILO, MILLI, MICRO, NANO, PICO = (Fraction(10) ** power for power in (3, -3, -6, -9, -12))
DECI, CENTI = Fraction(1, 10), Fraction(1, 100)
DAY, MINUTE = Fraction(1), Fraction(1, 24 * 60)

# Each unit as an amount of the base of its dimension: (dimension, amount).
AMOUNTS = {
    # particles a litre
    "10*9/L": ("count", Fraction(10) ** 9),
    "10*6/L": ("count", Fraction(10) ** 6),
    "10*3/uL": ("count", KILO / MICRO),
    "10*3/mm3": ("count", KILO / MICRO),
    "/uL": ("count", 1 / MICRO),
    "/mm3": ("count", 1 / MICRO),
    "{cells}/uL": ("count", 1 / MICRO),
    "10*9/mL": ("count", Fraction(10) ** 9 / MILLI),
    "10*6/mL": ("count", Fraction(10) ** 6 / MILLI),
    # grams a litre, moles a litre
    "g/L": ("mass concentration", Fraction(1)),
    "g/dL": ("mass concentration", 1 / DECI),
    "mg/dL": ("mass concentration", MILLI / DECI),
    "mg/L": ("mass concentration", MILLI),
    "ug/mL": ("mass concentration", MICRO / MILLI),
    "mg/mL": ("mass concentration", Fraction(1)),
    "g/mL": ("mass concentration", 1 / MILLI),
    "ug/dL": ("mass concentration", MICRO / DECI),
    "mol/L": ("molar concentration", Fraction(1)),
    "mmol/L": ("molar concentration", MILLI),
    "umol/L": ("molar concentration", MICRO),
    "nmol/L": ("molar concentration", NANO),
    "pmol/L": ("molar concentration", PICO),
    "ng/L": ("mass concentration", NANO),
    "ng/mL": ("mass concentration", NANO / MILLI),
    "pg/mL": ("mass concentration", PICO / MILLI),
    # seconds, metres, kilograms, litres
    "s": ("time", Fraction(1)),
    "ms": ("time", MILLI),
    "a": ("years", Fraction(1)),
    "mo": ("years", Fraction(1, 12)),
    "m": ("length", Fraction(1)),
    "cm": ("length", CENTI),
    "mm": ("length", MILLI),
    "[in_i]": ("length", Fraction("0.0254")),
    "[in_us]": ("length", Fraction(100, 3937)),
    "kg": ("mass", Fraction(1)),
    "g": ("mass", MILLI),
    "[lb_av]": ("mass", Fraction("0.45359237")),
    "[oz_av]": ("mass", Fraction("0.45359237") / 16),
    "{jin}": ("mass", Fraction(1, 2)),
    "L": ("volume", Fraction(1)),
    "dL": ("volume", DECI),
    "mL": ("volume", MILLI),
    "kg/m2": ("mass per area", Fraction(1)),
    "g/cm2": ("mass per area", MILLI / CENTI**2),
    # flows in litres a day; a gram of saliva is a millilitre
    "mL/min": ("flow", MILLI / MINUTE),
    "L/min": ("flow", 1 / MINUTE),
    "mL/s": ("flow", MILLI * 60 / MINUTE),
    "mL/(5.min)": ("flow", MILLI / (5 * MINUTE)),
    "mL/(15.min)": ("flow", MILLI / (15 * MINUTE)),
    "g/min": ("flow", MILLI / MINUTE),
    "g/(24.h)": ("mass rate", 1 / DAY),
    "g/d": ("mass rate", 1 / DAY),
    "mg/(24.h)": ("mass rate", MILLI / DAY),
    "mg/d": ("mass rate", MILLI / DAY),
    "mm[Hg]": ("pressure", Fraction("133.322387415")),
    "kPa": ("pressure", KILO),
    # international units a litre, copies a litre
    "[IU]/L": ("arbitrary", Fraction(1)),
    "[IU]/mL": ("arbitrary", 1 / MILLI),
    "k[IU]/L": ("arbitrary", KILO),
    "k[IU]/mL": ("arbitrary", KILO / MILLI),
    "10*3.[IU]/mL": ("arbitrary", KILO / MILLI),
    "m[IU]/mL": ("arbitrary", MILLI / MILLI),
    "m[IU]/L": ("arbitrary", MILLI),
    "{copies}/mL": ("copies", 1 / MILLI),
    "{copies}/L": ("copies", Fraction(1)),
}

# Moles a second and litre; an enzyme unit is a micromole a minute.
ENZYMES = {
    "U/L": MICRO / 60,
    "[IU]/L": MICRO / 60,
    "mU/mL": MILLI * MICRO / 60 / MILLI,
    "m[IU]/mL": MICRO / 60,
    "U/mL": MICRO / 60 / MILLI,
    "ukat/L": MICRO,
    "nkat/L": NANO,
}
ENZYME_CONCEPTS = {"ast", "alt", "creatine_kinase", "ldh", "aldolase"}

# Grams a mole.
MOLAR_MASSES = {
    "creatinine_serum": Fraction("113.12"),
    "bilirubin_total": Fraction("584.66"),
    "fasting_glucose": Fraction("180.156"),
    "hemoglobin": Fraction(16114),
    "igg": Fraction(150000),
    "iga": Fraction(160000),
    "igm": Fraction(960000),
    "complement_c4": Fraction(205000),
    "nt_probnp": Fraction(8457),
}

RATIO_MASSES = {"g": Fraction(1), "mg": MILLI, "mmol": MILLI * Fraction("113.12"), "mol": Fraction("113.12")}
# Factors without an end in decimals, which are rounded.
ENDLESS = {"kPa", "mo", "[in_us]", "mL/(15.min)"}
DIMENSIONLESS = {
    "1",
    "{score}",
    "{points}",
    "{INR}",
    "{ratio}",
    "{titer}",
    "{dilution}",
    "{#}",
    "{spots}",
    "{class}",
}
ONE_TO_ONE = {"cm3/min/mm[Hg]", "%{NGSP}", "U/mL", "{CH50'U}/mL", "[CH50'U]/mL", "mL/min"}


def derived(concept: str, from_unit: str, to_unit: str) -> tuple[Fraction, Fraction]:
    """Return the factor by arithmetic, and how far the rounded one of laboratories may lie from it."""
    if concept in ENZYME_CONCEPTS:
        return ENZYMES[from_unit] / ENZYMES[to_unit], Fraction(0)
    if concept == "urine_protein_creatinine_ratio":
        protein, creatinine = from_unit.removesuffix("{creat}").split("/")
        return RATIO_MASSES[protein] / RATIO_MASSES[creatinine] / MILLI, Fraction(5, 10**5)
    if concept.endswith("_vas"):
        return {"cm": Fraction(1), "mm": Fraction(1, 10), "1": Fraction(1)}[from_unit], Fraction(0)
    if to_unit == "%" and from_unit == "1":
        return Fraction(100), Fraction(0)
    if {from_unit, to_unit} <= DIMENSIONLESS or (from_unit in ONE_TO_ONE and concept != "*"):
        return Fraction(1), Fraction(0)
    if from_unit == "mmol/min/kPa":
        return Fraction("22.4") / (1 / Fraction("0.133322387415")), Fraction(2, 10**4)
    source, target = AMOUNTS[from_unit], AMOUNTS[to_unit]
    if source[0] == target[0]:
        return source[1] / target[1], Fraction(1, 10**8) if from_unit in ENDLESS else Fraction(0)
    mass = MOLAR_MASSES[concept]
    if source[0] == "molar concentration":
        return source[1] * mass / target[1], Fraction(0)
    return source[1] / mass / target[1], Fraction(2, 10**4)


PROPORTIONAL = tuple(row for row in ROWS if not row["from_unit"].startswith("mmol/mol"))


@pytest.mark.parametrize(
    "row", PROPORTIONAL, ids=lambda row: f"{row['concept']}: {row['from_unit']} to {row['to_unit']}"
)
def test_factor_is_what_arithmetic_says(row):
    """No factor is read to check itself: each is computed from its definition."""
    factor, tolerance = derived(row["concept"], row["from_unit"], row["to_unit"])
    assert abs(Fraction(row["factor"]) - factor) <= factor * tolerance
    assert Decimal(row["offset"]) == 0


def test_haemoglobin_a1c_follows_the_master_equation():
    """48 mmol/mol is the 6.5 % at which diabetes is diagnosed, 53 mmol/mol is 7.0 %. Nothing else has an offset."""
    others = [row for row in ROWS if row not in PROPORTIONAL]
    assert {(row["concept"], row["to_unit"]) for row in others} == {("hba1c", "%")}
    for row in others:
        for ifcc, ngsp in (("48", "6.54304"), ("53", "7.00044"), ("42", "5.99416")):
            assert TERMINOLOGY.convert("hba1c", Decimal(ifcc), row["from_unit"], "%") == Decimal(ngsp)


@pytest.mark.parametrize(
    ("concept", "value", "from_unit", "to_unit", "expected"),
    [
        ("creatinine_serum", "1.5", "mg/dL", "umol/L", "132.6"),
        ("creatinine_serum", "2.5", "mg/dL", "umol/L", "221"),
        ("hemoglobin", "6.0", "g/dL", "g/L", "60"),
        ("absolute_neutrophil_count", "500", "/uL", "10*9/L", "0.5"),
        ("platelet_count", "20", "10*3/uL", "10*9/L", "20"),
        ("ast", "2", "ukat/L", "U/L", "120"),
        ("bilirubin_total", "1.6", "mg/dL", "umol/L", "27.3664"),
        ("inhaled_oxygen_concentration", "0.21", "1", "%", "21"),
        ("patient_global_activity_vas", "25", "mm", "{score}", "2.5"),
        ("body_weight", "120", "{jin}", "kg", "60"),
        ("creatinine_serum", "1.5", "mg/dL", "mmol/L", "0.1326"),
    ],
)
def test_worked_examples(concept, value, from_unit, to_unit, expected):
    """Values from protocols and reports, calculated by hand."""
    assert TERMINOLOGY.convert(concept, Decimal(value), from_unit, to_unit) == Decimal(expected)


def test_a_unit_of_another_dimension_is_not_converted():
    """Litres are no grams, a mass is no enzyme activity, and a molar mass holds for its own concept only."""
    assert TERMINOLOGY.convert("body_weight", Decimal(1), "mL", "kg") is None
    assert TERMINOLOGY.convert("creatine_kinase", Decimal(1), "ng/mL", "U/L") is None
    assert TERMINOLOGY.convert("platelet_count", Decimal(1), "mg/dL", "umol/L") is None
    assert TERMINOLOGY.convert("hbv_dna", Decimal(1), "U/L", "[IU]/mL") is None


@given(
    row=st.sampled_from(ROWS),
    value=st.decimals(min_value=0, max_value=100000, places=3, allow_nan=False, allow_infinity=False),
)
def test_there_and_back_is_the_same_value(row, value):
    """A conversion loses nothing that a laboratory measures."""
    concept = "hemoglobin" if row["concept"] == "*" else row["concept"]
    there = TERMINOLOGY.units.convert(concept, value, row["from_unit"], row["to_unit"])
    back = TERMINOLOGY.units.convert(concept, there, row["to_unit"], row["from_unit"])
    assert abs(back - value) <= abs(value) * Decimal("1e-9") + Decimal("1e-9")


@pytest.mark.parametrize(
    ("spelling", "code"),
    [
        ("10^9/L", "10*9/L"),
        ("x10E9/L", "10*9/L"),
        ("×10⁹/L", "10*9/L"),
        ("10*9/L", "10*9/L"),
        ("K/uL", "10*3/uL"),
        ("10^3/uL", "10*3/uL"),
        ("G/L", "10*9/L"),
        ("g/L", "g/L"),
        ("IU/L", "[IU]/L"),
        ("U/L", "U/L"),
        ("\u00b5mol/L", "umol/L"),
        ("\u03bcmol/L", "umol/L"),
        ("mcg/mL", "ug/mL"),
        ("mmHg", "mm[Hg]"),
        ("公斤", "kg"),
        ("斤", "{jin}"),
        ("秒", "s"),
        ("sec", "s"),
        ("IU/ml", "[IU]/mL"),
        ("g/24h", "g/(24.h)"),
        (" kg ", "kg"),
        ("％", "%"),
    ],
)
def test_spellings_of_hospitals_are_known(spelling, code):
    """A spelling counts exactly, after compatibility normalisation: g/L is a mass, G/L a count."""
    assert TERMINOLOGY.units.code_of(spelling) == code


def test_an_ambiguous_spelling_is_not_guessed():
    """M/L, a lost exponent and a capital S are left to the site."""
    for spelling in ("M/L", "109/L", "S", "KG/l"):
        assert TERMINOLOGY.units.code_of(spelling) is None


def test_every_unit_in_use_is_its_own_alias():
    """A UCUM code that was sent as such needs no spelling table."""
    used = {row["from_unit"] for row in ROWS} | {row["to_unit"] for row in ROWS}
    used |= {concept.unit for concept in TERMINOLOGY.observation_concepts.values() if concept.unit}
    assert {unit for unit in used if ALIASES.get(unit) != unit} == set()


def test_conversions_end_in_units_that_concepts_use():
    """A row that leads nowhere would be dead data."""
    units = {concept.unit for concept in TERMINOLOGY.observation_concepts.values()}
    assert {row["to_unit"] for row in ROWS} <= units
