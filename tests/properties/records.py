"""Strategies for Immunizations, AllergyIntolerances, parts in studies and FamilyMemberHistories."""

from datetime import date

from hypothesis import strategies as st

from properties.codes import ALLERGENS, CONDITIONS, OTHER_DRUG, VACCINES, clinical_codings
from properties.moments import Resource, concept_of, instants, maybe, moments

PARTS = (
    "on-study",
    "on-study-intervention",
    "follow-up",
    "off-study",
    "off-study",
    "withdrawn",
    "screening",
    "candidate",
)
SORTS: tuple[Resource, ...] = (
    {"category": [{"coding": [{"code": "INTERVENTIONAL"}]}]}, {"category": [{"text": "Interventional study"}]},
    {"category": [{"text": "Observational"}]}, {"category": [{"coding": [{"display": "Non-interventional"}]}]},
    {"phase": concept_of("phase-2")}, {"primaryPurposeType": concept_of("treatment")}, {"phase": concept_of("n-a")}, {},
)  # fmt: skip


@st.composite
def immunizations(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """A vaccine that was given or not."""
    codings = clinical_codings(draw(st.sampled_from(VACCINES)))
    resource: Resource = {
        "resourceType": "Immunization",
        "status": draw(st.sampled_from(["completed"] * 4 + ["not-done", "entered-in-error"])),
        "vaccineCode": {"coding": draw(st.lists(st.sampled_from(codings), min_size=1, max_size=2))},
    }
    maybe(draw, resource["vaccineCode"], "text", st.just("a vaccine"), out_of=4)
    day = moments(as_of).map(lambda when: {"occurrenceDateTime": when})
    return [resource | draw(st.one_of(day, day, day, st.just({"occurrenceString": "as a child"})))]


@st.composite
def allergies(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """An allergy, or that there is none."""
    codings = [*clinical_codings(draw(st.sampled_from([*ALLERGENS, "no_known_allergy"]))), OTHER_DRUG]
    resource: Resource = {"resourceType": "AllergyIntolerance", "code": {"coding": [draw(st.sampled_from(codings))]}}
    states = ["active", "active", "inactive", "resolved"]
    verified = ["confirmed", "confirmed", "unconfirmed", "refuted", "entered-in-error"]
    maybe(draw, resource, "clinicalStatus", st.sampled_from(states).map(concept_of), out_of=2)
    maybe(draw, resource, "verificationStatus", st.sampled_from(verified).map(concept_of), out_of=2)
    maybe(draw, resource, "criticality", st.sampled_from(["low", "high", "unable-to-assess"]), out_of=2)
    severity = st.lists(st.sampled_from(["mild", "severe"]), min_size=1, max_size=2)
    maybe(draw, resource, "reaction", severity.map(lambda found: [{"severity": one} for one in found]), out_of=2)
    maybe(draw, resource, "onsetDateTime", moments(as_of), out_of=2)
    maybe(draw, resource, "recordedDate", moments(as_of), out_of=2)
    return [resource]


@st.composite
def studies(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """A study and a part in it; now and then the study was never sent."""
    study: Resource = {
        "resourceType": "ResearchStudy",
        "status": "active",
        "title": "A study",
        **draw(st.sampled_from(SORTS)),
    }
    maybe(draw, study, "identifier", st.sampled_from([[{"value": "NCT01"}], [{"value": "nct06983964"}]]), out_of=2)
    subject: Resource = {"resourceType": "ResearchSubject", "status": draw(st.sampled_from(PARTS))}
    subject["study"] = {"reference": draw(st.sampled_from(["ResearchStudy/{0}"] * 4 + ["ResearchStudy/NCT06983964"]))}
    maybe(draw, subject["study"], "display", st.just("Some study"), out_of=3)
    period: Resource = {}
    maybe(draw, period, "start", moments(as_of), out_of=2)
    maybe(draw, period, "end", moments(as_of), out_of=2)
    subject |= {"period": period} if period else {}
    maybe(draw, subject, "meta", instants(as_of).map(lambda updated: {"lastUpdated": updated}), out_of=2)
    return [study, subject]


@st.composite
def relatives(draw: st.DrawFn, as_of: date) -> list[Resource]:
    """A relative with up to two conditions."""
    told = []
    for _ in range(draw(st.integers(0, 2))):
        codings = clinical_codings(draw(st.sampled_from(CONDITIONS)))
        told.append({"code": {"coding": draw(st.lists(st.sampled_from(codings), min_size=1, max_size=2))}})
    statuses = ["completed", "completed", "partial", "health-unknown", "entered-in-error"]
    resource: Resource = {"resourceType": "FamilyMemberHistory", "status": draw(st.sampled_from(statuses))}
    resource |= {"relationship": concept_of("MTH")} | ({"condition": told} if told else {})
    maybe(draw, resource, "date", moments(as_of), out_of=2)
    return [resource]
