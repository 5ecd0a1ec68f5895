"""The concepts that the strategies use, each with a code that decides, taken from the mappings."""

import csv
from functools import cache

from cohortfinder.resources import resource_dir

NUMBERS = {
    "hemoglobin": (["60", "59.9", "60.1", "6", "120", "0.5"], ["g/L", "g/dL", "mmol/L", "10*9/L", None]),
    "alt": (["40", "120", "120.1", "60", "35", "200"], ["U/L", "IU/L", "ukat/L", None]),
    "creatinine_serum": (["80", "110", "150", "1.5", "300"], ["umol/L", "µmol/L", "mg/dL", None]),
    "inr": (["1", "1.5", "1.6", "1.95", "2.5", "99"], ["1", None, "{INR}"]),
    "lvef": (["45", "50", "55", "49.9"], ["%", None]),
    "body_weight": (["50", "80", "120", "500"], ["kg", "[lb_av]", "斤", None]),
    "systolic_bp": (["120", "160", "161", "180"], ["mm[Hg]", "mmHg", "kPa", None]),
    "diastolic_bp": (["80", "100", "101"], ["mm[Hg]", "mmHg"]),
    "hcg_quantitative": (["3", "5", "25", "26", "0"], ["[IU]/L", "mIU/mL", None]),
    "hbv_dna": (["0", "20", "100"], ["[IU]/mL", "IU/mL"]),
    "sledai_2k_total": (["7", "8", "9", "10", "12"], ["{score}", None]),
    "sledai_2k_clinical": (["4", "6", "8"], ["{score}", None]),
    "spo2": (["91", "92", "96"], ["%"]),
    "mrss": (["0", "18", "20", "21", "22", "24", "80"], ["{score}", None]),
    "fvc_percent_predicted": (["80", "72", "71.9", "90", "81"], ["%", "%", None]),
    "fvc_volume": (["2.5", "2.25", "2300", "3"], ["L", "mL"]),
    "age": (["17", "18", "64", "65"], ["a"]),
}
# of which several results over time are compared
TRENDS = ("mrss", "fvc_percent_predicted", "fvc_volume")
TITRES = ("ana_titer",)
ORDINALS = ("hbsag", "ana_presence", "treponemal_antibody")
CONDITIONS = ("dx_sle", "dx_myocardial_infarction", "st_pregnancy", "dx_heart_failure")
CONFIRMED = ("hbsag", "treponemal_antibody")
# with codes that decide, only text, and codes of every strength
DRUGS = ("rx_belimumab", "rx_telitacicept", "rx_ivig", "rx_rituximab")
OTHER_DRUG = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1191"}
VACCINES = ("vx_live", "vx_live_uncertain")
ALLERGENS = ("rx_lymphodepletion", "rx_belimumab")
PROCEDURES = ("px_pci", "px_organ_transplant")
OXYGEN = ("inhaled_oxygen_concentration", "inhaled_oxygen_flow", "supplemental_oxygen_use", "ventilator_oxygen")
ITEMS = ("sledai_2k_low_complement", "sledai_2k_dsdna", "sledai_2k_clinical")


@cache
def rows(name: str) -> list[dict[str, str]]:
    """Read a file of the mappings."""
    with (resource_dir("mappings") / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def observation_coding(concept: str, role: str = "primary") -> dict[str, str]:
    """Return the first coding of the concept with that role, else with any role that decides."""
    own = [row for row in rows("concepts/observation_codes.csv") if row["concept"] == concept]
    wanted = [row for row in own if row["role"] == role]
    deciding = [row for row in own if row["role"] in ("primary", "alt", "local", "component", "deprecated")]
    row = (wanted or deciding)[0]
    return {"system": row["system"], "code": row["code"]}


@cache
def clinical_codings(concept: str) -> list[dict[str, str]]:
    """Return a coding of each strength of the concept, and one that is carved out of it."""
    uris = {row["name"]: row["uri"] for row in rows("code_systems.csv")}
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows("concepts/clinical_codes.csv"):
        if row["concept"] == concept and row["match"] != "text":
            system = uris.get(row["system"], row["system"])
            found.setdefault((row["include"], row["strength"]), {"system": system, "code": row["code"]})
    return list(found.values())


@cache
def drug_words(concept: str) -> list[str]:
    """Return the words by which the concept is recognised in a text."""
    codes = rows("concepts/clinical_codes.csv")
    return [row["code"] for row in codes if row["concept"] == concept and row["match"] == "text"]
