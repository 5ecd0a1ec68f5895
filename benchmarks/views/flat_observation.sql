-- The rows of flat_observation.json by hand, with the fewest fields that they need.
SELECT
    id,
    split_part(subject.reference, '/', -1) AS patient_id,
    status,
    effectiveDateTime AS effective_datetime,
    effectivePeriod."start" AS effective_start,
    valueQuantity."value" AS "value",
    valueQuantity.comparator AS value_comparator,
    valueQuantity.unit AS value_unit,
    valueQuantity.code AS value_code,
    valueCodeableConcept."text" AS value_text,
    valueCodeableConcept.coding[1].code AS value_coded,
    valueString AS value_string,
    referenceRange[1].low."value" AS range_low,
    referenceRange[1].high."value" AS range_high,
    interpretation[1].coding[1].code AS interpretation,
    coding."system" AS code_system,
    coding.code AS code
FROM (
    SELECT * EXCLUDE (code), unnest(code.coding) AS coding
    FROM read_json($files, format = 'newline_delimited', columns = {
        'id': 'VARCHAR',
        'subject': 'STRUCT(reference VARCHAR)',
        'status': 'VARCHAR',
        'effectiveDateTime': 'VARCHAR',
        'effectivePeriod': 'STRUCT("start" VARCHAR)',
        'valueQuantity': 'STRUCT("value" DECIMAL(28,10), comparator VARCHAR, unit VARCHAR, code VARCHAR)',
        'valueCodeableConcept': 'STRUCT("text" VARCHAR, coding STRUCT(code VARCHAR)[])',
        'valueString': 'VARCHAR',
        'referenceRange': 'STRUCT(low STRUCT("value" DECIMAL(28,10)), high STRUCT("value" DECIMAL(28,10)))[]',
        'interpretation': 'STRUCT(coding STRUCT(code VARCHAR)[])[]',
        'code': 'STRUCT(coding STRUCT("system" VARCHAR, code VARCHAR)[])'
    })
)
