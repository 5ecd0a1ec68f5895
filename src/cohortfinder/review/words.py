"""Words of the pages that are chosen by what they name; each is in the catalogues of the languages."""


def marked(text: str) -> str:
    """Mark a text that a template says by its key, so that it is found for the catalogues."""
    return text


STATES = {
    "none": marked("Not decided"),
    "candidate": marked("Candidate"),
    "screening": marked("In screening"),
    "eligible": marked("Eligible, by a person"),
    "ineligible": marked("Not eligible"),
    "on_study": marked("On study"),
    "withdrawn": marked("Withdrawn"),
    "declined": marked("Declined"),
}
ANSWERS = {
    "yes": marked("Yes"),
    "no": marked("No"),
    "not_sure": marked("Not sure"),
    "cleared": marked("Answer taken back"),
}
MARKS = {
    "new": marked("New"),
    "near_miss": marked("Near miss"),
    "other_trial": marked("Also in another trial"),
    "answered": marked("Answered"),
    "deceased": marked("Deceased"),
}
SORTS = {
    "rank": marked("Best chance"),
    "new": marked("New first"),
    "contact": marked("Last contact"),
    "soonest": marked("Nothing fails from"),
    "fewest": marked("Fewest open"),
    "decision": marked("Decision"),
    "decided": marked("Decided last"),
    "arm": marked("Arm"),
}
GROUPS = {
    "against": marked("Fails"),
    "missing": marked("Missing: data would settle it"),
    "judgement": marked("For a person to judge"),
    "passed": marked("Passes"),
    "not_computed": marked("Not computed: check by hand"),
    "all": marked("All criteria, in the order of the protocol"),
}
KINDS = {"inclusion": marked("Inclusion"), "exclusion": marked("Exclusion")}
ROLES = {
    "coordinator": marked("Coordinator"),
    "investigator": marked("Investigator"),
    "data": marked("Data team"),
}
STATUSES = {"eligible": marked("Eligible"), "possible": marked("Possible"), "excluded": marked("Excluded")}
VERDICTS = {"pass": marked("Passes"), "fail": marked("Fails"), "unknown": marked("Unknown")}
LANGUAGES = {"en": "English", "de": "Deutsch"}
SAVED = {
    "answer": marked("Your answer is saved. It counts from the next list on."),
    "cleared": marked("Your answers are taken back."),
    "decision": marked("Your decision is saved."),
    "note": marked("Your note is saved."),
    "withdrawn": marked("Your note is taken back."),
}
