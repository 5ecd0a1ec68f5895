"""Leaf kind `allergy`: an allergy or intolerance to a drug or vaccine."""

from typing import ClassVar

from cohortfinder.criteria.question import HAPPENS, Concepts, Question, Remedy, Yes

NO_KNOWN_ALLERGY = "no_known_allergy"


class AllergyQuestion(Question):
    """`{allergy: rx_lymphodepletion, severe: yes}`: is the patient allergic to it?

    AllergyIntolerances whose code belongs to the concept. A record that was refuted or entered in error, or is inactive
    or resolved, says nothing. Firm when its code is definite and it is confirmed (or has no verificationStatus);
    tentative when the code is only possible or it is unconfirmed. With `severe: yes` a record of which neither
    criticality (high) nor a reaction (severe) says so is unknown (`severity_unclear`). That no allergy is known, by its
    code (concept `no_known_allergy`), is a record against. A record that starts after the index date does not exist.
    No record means unknown if not said otherwise.
    """

    kind: ClassVar[str] = "allergy"
    domain: ClassVar = "clinical"

    allergy: Concepts
    severe: Yes | None = None

    @property
    def concepts(self) -> tuple[str, ...]:
        return self.allergy

    def remedy(self, wanted: bool) -> Remedy | None:
        """It may be found; one that is on record stays."""
        return HAPPENS if wanted else None
