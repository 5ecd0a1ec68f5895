"""What somebody in a role may do in a trial; whoever has no role in it may do nothing."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What somebody is in a trial."""

    COORDINATOR = "coordinator"
    INVESTIGATOR = "investigator"
    DATA = "data"


class Right(StrEnum):
    """What a page needs of whoever asks for it."""

    LIST = "list"
    PATIENT = "patient"
    IDENTITY = "identity"
    REVIEW = "review"
    SHARE = "share"
    DISAGREEMENT = "disagreement"
    # of the application and not of a trial: accounts, roles, the audit log
    ADMINISTER = "administer"


_STUDY_TEAM = frozenset({Right.LIST, Right.PATIENT, Right.IDENTITY, Right.REVIEW, Right.SHARE})
RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.COORDINATOR: _STUDY_TEAM,
    Role.INVESTIGATOR: _STUDY_TEAM | {Right.DISAGREEMENT},
    # who keeps codes and units right sees charts under pseudonyms, and decides nothing
    Role.DATA: frozenset({Right.LIST, Right.PATIENT, Right.DISAGREEMENT}),
}


def allows(role: Role | None, right: Right) -> bool:
    """Say whether a role in the trial gives a right; no role gives none."""
    return role is not None and right in RIGHTS[role]
