"""expected.csv and expected_changes.csv: what the case files say that the specification gives."""

import csv
import io
from collections.abc import Iterable

from shorthand import Json

COMMON = [
    "I-AGE",
    "I-ANC",
    "I-PLT",
    "I-HB",
    "I-INR",
    "I-APTT",
    "I-AST",
    "I-ALT",
    "I-TBIL",
    "I-RENAL",
    "I-LVEF",
    "I-NYHA",
    "I-PERICARD",
    "I-SPO2",
    "I-PREG",
    "E-MAL",
    "E-PULM",
    "E-PAH",
    "E-IG",
    "E-BCELL",
    "E-IVIG",
    "E-GCPULSE",
    "E-TELI",
    "E-BELI",
    "E-CNS",
    "E-LN",
    "E-ALLERGY",
    "E-HBV",
    "E-HCV",
    "E-SYPH",
    "E-HIV",
    "E-TRANSPLANT",
    "E-TB",
    "E-CV1",
    "E-CV2",
    "E-CV3",
    "E-BP",
    "E-AI",
    "E-MYOP",
    "E-PREGLACT",
    "E-VACC",
    "E-TRIAL",
    "E-PSYCH",
]
OF_ARM = {
    "SLE": ["I-SLE-DX", "I-SLE-AB", "I-SLE-ACT", "I-SLE-TX", "I-SLE-2MO", "E-CRISIS", "E-NEPHRITIS-TX"],
    "SSC": ["I-SSC-DX", "I-SSC-DIFFUSE", "I-SSC-ILD", "I-SSC-PFT", "I-SSC-RR", "I-SSC-ACT"],
    "AAV": ["I-AAV-DX", "I-AAV-BVAS", "I-AAV-ANCA", "I-AAV-RR"],
    "IIM": ["I-IIM-DX", "I-IIM-PROB", "I-IIM-MMT8", "I-IIM-CSM", "I-RR-GENERAL"],
    "SS": ["I-SS-DX", "I-SS-SSA", "I-SS-SAL", "I-SS-ACT", "I-RR-GENERAL"],
}


def listed_arms(case: Json) -> list[str]:
    """The arms in which the patient is listed: those of the case, unless it says otherwise."""
    arms: list[str] = case["listed"] if "listed" in case else case["arms"]
    return arms


def table(header: list[str], rows: Iterable[list[str]]) -> bytes:
    """A CSV file with Unix line ends."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue().encode()


def expected(all_cases: list[Json]) -> bytes:
    """expected.csv: what the specification says of every listed patient, and who is listed nowhere."""
    rows = []
    for case in all_cases:
        listed = listed_arms(case)
        if not listed:
            rows.append([case["id"], "", "", "not_listed", case["why"]])
        claims = {key: words.split(", ", 1) for key, words in case.get("expect", {}).items()}
        for arm in listed:
            for criterion in OF_ARM[arm] + COMMON:
                verdict, *why = claims.get(criterion, [case.get("otherwise", "pass")])
                rows.append([case["id"], arm, criterion, verdict, *(why or [""])])
    return table(["patient_id", "arm", "criterion_id", "verdict", "why"], rows)


def expected_changes(all_cases: list[Json]) -> bytes:
    """expected_changes.csv: the first later day on which a verdict differs, where that is certain."""
    rows = [
        [case["id"], arm, criterion, day]
        for case in all_cases
        for criterion, day in case.get("changes_on", {}).items()
        for arm in listed_arms(case)
    ]
    return table(["patient_id", "arm", "criterion_id", "changes_on"], rows)
