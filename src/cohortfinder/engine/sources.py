"""The types of FHIR resources from which the leaves of a trial can be answered. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from cohortfinder.criteria.dose import DoseQuestion
from cohortfinder.criteria.formula import FormulaQuestion
from cohortfinder.criteria.treatment import TreatmentQuestion
from cohortfinder.engine.plan import concepts_asked
from cohortfinder.engine.questions import concepts_of
from cohortfinder.model import Criterion, Leaf, Trial, leaves_of, rules_of
from cohortfinder.terminology import Terminology

MEDICATIONS = ("MedicationStatement", "MedicationRequest", "MedicationAdministration", "MedicationDispense")
# every patient has a record, and is known to be a patient of the house by the encounters
ALWAYS = ("Patient", "Encounter")


@dataclass(frozen=True, slots=True)
class Sources:
    """What a leaf reads: without all of `any_of` it stays unknown, what is in `also` makes its answer better."""

    any_of: tuple[str, ...]
    also: tuple[str, ...] = ()

    @property
    def types(self) -> frozenset[str]:
        """Every type of it."""
        return frozenset((*self.any_of, *self.also))


@dataclass(frozen=True, slots=True)
class Lacking:
    """A criterion of which leaves of a kind have no source: one of the types in `any_of` would be one."""

    criterion: str
    kind: str
    any_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResultsAsked:
    """A criterion, and the concepts of which it needs a result: those of one leaf, and what it can be derived from."""

    criterion: str
    concepts: tuple[str, ...]


SOURCES: Mapping[str, Sources] = {
    "age": Sources(("Patient",), ("Observation",)),
    "sex": Sources(("Patient",)),
    **dict.fromkeys(("observation", "series", "change", "formula"), Sources(("Observation",))),
    "condition": Sources(("Condition",), ("Encounter",)),
    **dict.fromkeys(("medication", "dose", "treatment"), Sources(MEDICATIONS, ("Medication",))),
    "procedure": Sources(("Procedure",)),
    "immunization": Sources(("Immunization",)),
    "allergy": Sources(("AllergyIntolerance",)),
    "study": Sources(("ResearchSubject",), ("ResearchStudy",)),
    "family_history": Sources(("FamilyMemberHistory",)),
    "judgement": Sources(()),
}
# the role of the codes of a confirming test, which some leaves ask for
CONFIRMING = "confirm"
# what tells the codes of a clinical concept
_OF_DOMAIN: Mapping[str, tuple[str, ...]] = {
    "condition": ("Condition", "Encounter"),
    "medication": (*MEDICATIONS, "Medication"),
    "procedure": ("Procedure",),
    "vaccine": ("Immunization",),
    "allergy": ("AllergyIntolerance",),
}


def sources_of(leaf: Leaf, terminology: Terminology) -> tuple[Sources, ...]:
    """Return what a leaf reads; of several sources it needs each."""
    own, question = SOURCES[leaf.kind], leaf.question
    if isinstance(question, FormulaQuestion):
        clinical = [terminology.clinical_concepts.get(concept) for concept in concepts_of(leaf)]
        also = (kind for concept in clinical if concept is not None for kind in _OF_DOMAIN[concept.domain])
        return (Sources(own.any_of, tuple(dict.fromkeys(also))),)
    if isinstance(question, DoseQuestion):
        # for a dose by the weight
        return (Sources(own.any_of, (*own.also, "Observation")),)
    if isinstance(question, TreatmentQuestion) and question.reaching is not None:
        return (own, SOURCES["observation"])
    return (own,)


def types_of(trial: Trial, terminology: Terminology) -> tuple[str, ...]:
    """Return the types of resources that the rules of a trial read, by name."""
    read = {kind for *_, sources in _sources(trial, terminology) for kind in sources.types}
    return tuple(sorted({*ALWAYS, *read}))


def without_source(trial: Trial, terminology: Terminology, types: Collection[str]) -> tuple[Lacking, ...]:
    """Return the criteria with a leaf that stays unknown where only `types` can be had, in the trial's order."""
    return tuple(
        dict.fromkeys(
            Lacking(criterion.id, leaf.kind, sources.any_of)
            for criterion, leaf, sources in _sources(trial, terminology)
            if sources.any_of and not any(kind in types for kind in sources.any_of)
        )
    )


def codes_of(trial: Trial, terminology: Terminology) -> frozenset[str]:
    """Return the codes of the Observations that the rules of a trial read, of whatever code system."""
    asked = concepts_asked(trial)
    return frozenset(code for concept in asked for code in codes_of_concept(concept, terminology))


def codes_of_concept(concept: str, terminology: Terminology) -> frozenset[str]:
    """Return the codes under which results of a concept are read; none of a concept that is no result."""
    known = terminology.observation_concepts.get(concept)
    return frozenset(one.code for one in known.codes if one.decides or one.role == CONFIRMING) if known else frozenset()


def results_asked(trial: Trial, terminology: Terminology) -> tuple[ResultsAsked, ...]:
    """Return the results that leaves ask for, in the trial's order; any concept of one will do."""
    asked = (
        ResultsAsked(criterion.id, concepts)
        for criterion, leaf, sources in _sources(trial, terminology)
        if "Observation" in sources.any_of
        if (concepts := tuple(one for one in concepts_of(leaf) if codes_of_concept(one, terminology)))
    )
    return tuple(dict.fromkeys(asked))


def _sources(trial: Trial, terminology: Terminology) -> Iterator[tuple[Criterion, Leaf, Sources]]:
    for criterion in trial.criteria:
        for leaf in (leaf for rule in rules_of(criterion) for leaf in leaves_of(rule)):
            yield from ((criterion, leaf, sources) for sources in sources_of(leaf, terminology))
