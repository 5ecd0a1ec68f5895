"""# Answers of people

A person who has looked at the chart answers a criterion as it is written, and the answer decides it."""

AS_OF = "2026-11-20"
LVEF = {"observation": "lvef", "at_least": "50 %", "ever": "yes"}
ECHO = """
    patient_id | code    | effective_datetime | value        | value_unit
    low        | 10230-1 | 2026-10-01         | 40           | %
    high       | 10230-1 | 2026-10-01         | 60           | %
"""


def test_an_answer_decides_an_inclusion_and_is_its_evidence(spec):
    """Who answered and when, with the note, stand in place of the records. The data say nothing of `none`."""
    spec(
        as_of=AS_OF,
        rule=LVEF,
        patient="patient_id\nnone\nother",
        answers="""
            patient_id | answer | by     | at               | note
            none       | yes    | Dr. Li | 2026-11-02T10:00 | echo of another hospital
            other      | no     | Dr. Li | 2026-11-03       |
        """,
        expected="""
            patient_id | verdict | changes_on
            none       | pass    |
            other      | fail    |
        """,
        evidence="""
            patient_id | concept | resource | date             | value | compared
            none       | answer  | Dr. Li   | 2026-11-02T10:00 | yes   | echo of another hospital
            other      | answer  | Dr. Li   | 2026-11-03       | no    |
        """,
    )


def test_yes_to_an_exclusion_is_a_fail(spec):
    """The answer is to the sentence of the protocol, not to whether the patient may take part."""
    spec(
        as_of=AS_OF,
        rule=LVEF,
        kind="exclusion",
        patient="patient_id\nsaid_yes\nsaid_no",
        answers="""
            patient_id | answer | by     | at
            said_yes   | yes    | Dr. Li | 2026-11-02
            said_no    | no     | Dr. Li | 2026-11-02
        """,
        expected="""
            patient_id | verdict
            said_yes   | fail
            said_no    | pass
        """,
    )


def test_not_sure_is_shown_and_decides_nothing(spec):
    """The verdict of the data stays, with a flag that somebody has looked."""
    spec(
        as_of=AS_OF,
        rule=LVEF,
        observation=ECHO,
        answers="""
            patient_id | answer   | by     | at
            low        | not sure | Dr. Li | 2026-11-02
            none       | Not_Sure | Dr. Li | 2026-11-02
        """,
        patient="patient_id\nnone",
        expected="""
            patient_id | verdict | flags
            low        | fail    | not_sure
            high       | pass    |
            none       | unknown | not_sure
        """,
    )


def test_the_latest_answer_counts(spec):
    """By its time, whatever the order of the lines; of one time, the later line. It may take an earlier one back."""
    spec(
        as_of=AS_OF,
        rule=LVEF,
        patient="patient_id\nchanged\nsame_time\ntaken_back",
        answers="""
            patient_id | answer   | by     | at
            changed    | no       | Dr. Li | 2026-11-03T09:00
            changed    | yes      | Dr. Mo | 2026-11-02T23:00
            same_time  | yes      | Dr. Li | 2026-11-02
            same_time  | no       | Dr. Li | 2026-11-02
            taken_back | yes      | Dr. Li | 2026-11-02
            taken_back | not sure | Dr. Li | 2026-11-05
        """,
        expected="""
            patient_id | verdict
            changed    | fail
            same_time  | fail
            taken_back | unknown
        """,
    )


def test_newer_data_contradict_an_answer_and_the_answer_stands(spec):
    """Data of the same day or before do not: the person has seen them. Data that agree do not either."""
    spec(
        as_of=AS_OF,
        rule=LVEF,
        observation=ECHO,
        answers="""
            patient_id | answer | by     | at
            low        | yes    | Dr. Li | 2026-09-30
            high       | no     | Dr. Li | 2026-10-01
        """,
        expected="""
            patient_id | verdict | flags
            low        | pass    | contradicted
            high       | fail    |
        """,
        evidence="""
            patient_id | resource                  | date       | value
            low        | Dr. Li                    | 2026-09-30 | yes
            low        | Observation/observation-1 | 2026-10-01 | 40 %
            high       | Dr. Li                    | 2026-10-01 | no
        """,
    )


def test_a_record_of_some_day_of_a_month_contradicts_when_that_may_be_later(spec):
    """A flag is shown rather than not; it changes no verdict."""
    spec(
        as_of=AS_OF,
        rule={"condition": "dx_sle", "ever": "yes"},
        condition="""
            patient_id | code     | onset_datetime | recorded_date | clinical_status
            may_be     | 55464009 | 2026-10        |               | active
            before     | 55464009 | 2026-09        |               | active
        """,
        answers="""
            patient_id | answer | by     | at
            may_be     | no     | Dr. Li | 2026-10-15
            before     | no     | Dr. Li | 2026-10-15
        """,
        expected="""
            patient_id | verdict | flags
            may_be     | fail    | contradicted
            before     | fail    |
        """,
    )


def test_an_answer_does_not_change_with_time(spec):
    """A window that ends changes a verdict of the data, and not one of a person."""
    spec(
        as_of=AS_OF,
        rule={"observation": "lvef", "at_least": "50 %", "within": "90 days"},
        observation=ECHO,
        answers="""
            patient_id | answer | by     | at
            high       | yes    | Dr. Li | 2026-11-02
        """,
        expected="""
            patient_id | verdict | changes_on
            low        | fail    | 2026-12-31
            high       | pass    |
        """,
    )


def test_an_answer_to_a_replaced_record_is_one_about_the_person(spec):
    spec(
        as_of=AS_OF,
        rule=LVEF,
        patient="""
            patient_id | replaced_by
            old        | kept
            kept       |
        """,
        answers="""
            patient_id | answer | by     | at
            old        | yes    | Dr. Li | 2026-11-02
            kept       | no     | Dr. Li | 2026-11-01
        """,
        expected="""
            patient_id | verdict
            kept       | pass
        """,
    )
