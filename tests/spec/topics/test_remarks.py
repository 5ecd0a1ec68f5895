"""# Remarks

What a result says of itself beside its value: mappings/remarks.csv."""

UCUM = "http://unitsofmeasure.org"
SATURATION = {"formula": "spo2_room_air", "at_least": "92 %"}


def test_room_air_and_oxygen_in_words(spec):
    """In the method or the body site, longest phrase first; oxygen said anywhere goes before room air."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id  | code    | value | value_unit_code | value_unit_system | method_text               | body_site_text   | note_text | effective_datetime
            room_air    | 59408-5 | 92    | %               | {UCUM}            | Pulse oximetry, room air  |                  |           | 2026-11-01
            site        | 59408-5 | 93    | %               | {UCUM}            |                           | Finger; Room Air |           | 2026-11-01
            chinese     | 59408-5 | 93    | %               | {UCUM}            | 未吸氧                    |                  |           | 2026-11-01
            chinese_o2  | 59408-5 | 93    | %               | {UCUM}            | 鼻导管吸氧                |                  |           | 2026-11-01
            not_on_air  | 59408-5 | 93    | %               | {UCUM}            | not on room air           |                  |           | 2026-11-01
            cannula     | 59408-5 | 93    | %               | {UCUM}            | nasal cannula 2 L/min     |                  |           | 2026-11-01
            both        | 59408-5 | 93    | %               | {UCUM}            | room air, later oxygen    |                  |           | 2026-11-01
            no_oxygen   | 59408-5 | 93    | %               | {UCUM}            | no supplemental oxygen    |                  |           | 2026-11-01
            right_arm   | 59408-5 | 93    | %               | {UCUM}            |                           | RA               |           | 2026-11-01
            only_noted  | 59408-5 | 93    | %               | {UCUM}            |                           |                  | room air  | 2026-11-01
            low         | 59408-5 | 91    | %               | {UCUM}            | room air                  |                  |           | 2026-11-01
        """,
        rule=SATURATION,
        expected="""
            patient_id | truth   | reason
            room_air   | true    | met
            site       | true    | met
            chinese    | true    | met
            chinese_o2 | unknown | on_oxygen
            not_on_air | unknown | on_oxygen
            cannula    | unknown | on_oxygen
            both       | unknown | on_oxygen
            no_oxygen  | true    | met
            right_arm  | unknown | room_air_not_stated
            only_noted | unknown | room_air_not_stated
            low        | false   | not_met
        """,
    )


def test_a_component_on_oxygen_goes_before_words_of_room_air(spec):
    """Two litres a minute are no room air, whatever the method says."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id | component | code    | value | value_unit_code | value_unit_system | method_text | effective_datetime
            a  | someone    |           | 59408-5 | 95    | %               | {UCUM}            | room air    | 2026-11-01
            a  | someone    | 0         | 3151-8  | 2     | L/min           | {UCUM}            |             | 2026-11-01
        """,
        rule=SATURATION,
        expected="""
            patient_id | truth   | reason
            someone    | unknown | on_oxygen
        """,
    )


def test_a_saturation_in_exercise_or_sleep_does_not_count(spec):
    """Wherever the record says so; the older value at rest decides without a flag."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code    | code_text               | value | value_unit_code | value_unit_system | method_text             | note_text   | effective_datetime
            walking    | 59408-5 |                         | 85    | %               | {UCUM}            | room air, 6MWT          |             | 2026-11-10
            walking    | 59408-5 |                         | 96    | %               | {UCUM}            | room air                |             | 2026-11-01
            by_name    | 59408-5 | SpO2 after exercise     | 85    | %               | {UCUM}            | room air                |             | 2026-11-10
            noted      | 59408-5 |                         | 97    | %               | {UCUM}            | room air                | while asleep | 2026-11-10
            chinese    | 59408-5 | 睡眠血氧饱和度          | 85    | %               | {UCUM}            |                         |             | 2026-11-10
        """,
        rule=SATURATION,
        expected="""
            patient_id | truth   | reason             | flags
            walking    | true    | met                |
            by_name    | unknown | missing_saturation |
            noted      | unknown | missing_saturation |
            chinese    | unknown | missing_saturation |
        """,
    )


def test_a_site_may_assume_room_air_where_nothing_is_said(spec):
    """What is said still counts, and the assumption is flagged."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            id | patient_id | component | code    | value | value_unit_code | value_unit_system | effective_datetime
            a  | silent     |           | 59408-5 | 92    | %               | {UCUM}            | 2026-11-01
            b  | low        |           | 59408-5 | 91    | %               | {UCUM}            | 2026-11-01
            c  | on_oxygen  |           | 59408-5 | 95    | %               | {UCUM}            | 2026-11-01
            c  | on_oxygen  | 0         | 3151-8  | 2     | L/min           | {UCUM}            | 2026-11-01
            d  | room_air   |           | 59408-5 | 95    | %               | {UCUM}            | 2026-11-01
            d  | room_air   | 0         | 3150-0  | 21    | %               | {UCUM}            | 2026-11-01
        """,
        rule={**SATURATION, "assume": "room_air"},
        expected="""
            patient_id | truth   | reason    | flags
            silent     | true    | met       | room_air_assumed
            low        | false   | not_met   | room_air_assumed
            on_oxygen  | unknown | on_oxygen |
            room_air   | true    | met       |
        """,
    )


def test_the_code_or_a_note_of_the_deciding_result_raises_a_flag(spec):
    """It changes no verdict; "no clumps" is none; a result that does not decide raises nothing."""
    spec(
        as_of="2026-11-20",
        observation=f"""
            patient_id | code    | value | value_unit_code | value_unit_system | note_text                    | effective_datetime
            clumped    | 777-3   | 15    | 10*9/L          | {UCUM}            | Platelet clumps on the smear | 2026-11-01
            chinese    | 777-3   | 25    | 10*9/L          | {UCUM}            | 可见血小板聚集               | 2026-11-01
            not_so     | 777-3   | 25    | 10*9/L          | {UCUM}            | no clumps                    | 2026-11-01
            long_ago   | 777-3   | 15    | 10*9/L          | {UCUM}            | clumps                       | 2026-10-01
            long_ago   | 777-3   | 25    | 10*9/L          | {UCUM}            |                              | 2026-11-01
        """,
        rule={"observation": "platelet_count", "at_least": "20 10*9/L"},
        expected="""
            patient_id | truth | flags
            clumped    | false | platelet_clumps
            chinese    | true  | platelet_clumps
            not_so     | true  |
            long_ago   | true  |
        """,
    )
    spec(
        as_of="2026-11-20",
        observation="""
            patient_id | code    | value_string | effective_datetime
            line_blot  | 81716-3 | positive     | 2026-11-01
            assay      | 5130-0  | positive     | 2026-11-01
        """,
        rule={"observation": "anti_dsdna", "is": "positive"},
        expected="""
            patient_id | truth | flags
            line_blot  | true  | line_blot
            assay      | true  |
        """,
    )
