-- One row for each Observation or component, coding, and coding of its coded value.
CREATE TABLE observation AS
WITH resource AS MATERIALIZED (
    SELECT *
    FROM read_json($files, format = 'newline_delimited', columns = {
        'id': 'VARCHAR',
        'meta': 'STRUCT(lastUpdated VARCHAR, versionId VARCHAR)',
        'subject': 'STRUCT(reference VARCHAR)',
        'encounter': 'STRUCT(reference VARCHAR)',
        'status': 'VARCHAR',
        'effectiveDateTime': 'VARCHAR',
        'effectivePeriod': 'STRUCT("start" VARCHAR, "end" VARCHAR)',
        'effectiveInstant': 'VARCHAR',
        'effectiveTiming': 'STRUCT("event" VARCHAR[])',
        'issued': 'VARCHAR',
        'method': 'STRUCT("text" VARCHAR)',
        'bodySite': 'STRUCT("text" VARCHAR)',
        'note': 'STRUCT("text" VARCHAR)[]',
        'code': 'STRUCT("text" VARCHAR, coding STRUCT("system" VARCHAR, code VARCHAR)[])',
        'valueQuantity': 'STRUCT("value" DECIMAL(28,10), comparator VARCHAR, unit VARCHAR, "system" VARCHAR, code VARCHAR)',
        'valueCodeableConcept': 'STRUCT(coding STRUCT("system" VARCHAR, code VARCHAR)[], "text" VARCHAR)',
        'valueString': 'VARCHAR',
        'valueInteger': 'INTEGER',
        'valueBoolean': 'BOOLEAN',
        'valueDateTime': 'VARCHAR',
        'valueRange': 'STRUCT(low STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR),
            high STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR))',
        'valueRatio': 'STRUCT(
            numerator STRUCT("value" DECIMAL(28,10), comparator VARCHAR, code VARCHAR, unit VARCHAR),
            denominator STRUCT("value" DECIMAL(28,10), comparator VARCHAR, code VARCHAR, unit VARCHAR))',
        'dataAbsentReason': 'STRUCT(coding STRUCT(code VARCHAR)[])',
        'interpretation': 'STRUCT(coding STRUCT(code VARCHAR)[])[]',
        'component': 'STRUCT(
            code STRUCT("text" VARCHAR, coding STRUCT("system" VARCHAR, code VARCHAR)[]),
            valueQuantity STRUCT("value" DECIMAL(28,10), comparator VARCHAR, unit VARCHAR, "system" VARCHAR, code VARCHAR),
            valueCodeableConcept STRUCT(coding STRUCT("system" VARCHAR, code VARCHAR)[], "text" VARCHAR),
            valueString VARCHAR,
            valueInteger INTEGER,
            valueBoolean BOOLEAN,
            valueDateTime VARCHAR,
            valueRange STRUCT(low STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR),
                high STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR)),
            valueRatio STRUCT(
                numerator STRUCT("value" DECIMAL(28,10), comparator VARCHAR, code VARCHAR, unit VARCHAR),
                denominator STRUCT("value" DECIMAL(28,10), comparator VARCHAR, code VARCHAR, unit VARCHAR)),
            dataAbsentReason STRUCT(coding STRUCT(code VARCHAR)[]),
            interpretation STRUCT(coding STRUCT(code VARCHAR)[])[])[]'
    })
),

root AS (
    SELECT * EXCLUDE (component, method, bodySite, note), CAST(NULL AS INTEGER) AS component, method."text" AS method_text,
        bodySite."text" AS body_site_text,
        nullif(array_to_string(list_transform(note, lambda one: one."text"), ' '), '') AS note_text
    FROM resource
),

part AS (
    SELECT id, meta, subject, encounter, status, effectiveDateTime, effectivePeriod, effectiveInstant, effectiveTiming,
        issued, unnest(component) AS found, CAST(unnest(range(len(component))) AS INTEGER) AS component
    FROM resource
),

root_or_part AS (
    SELECT * FROM root
    UNION ALL BY NAME
    SELECT * EXCLUDE (found), unnest(found) FROM part
),

coded AS (
    SELECT *, unnest(CASE WHEN len(code.coding) > 0 THEN code.coding ELSE [NULL] END) AS coding
    FROM root_or_part
),

valued AS (
    SELECT *,
        unnest(CASE WHEN len(valueCodeableConcept.coding) > 0 THEN valueCodeableConcept.coding ELSE [NULL] END)
            AS value_coding
    FROM coded
)
SELECT
    id,
    meta.lastUpdated AS last_updated,
    meta.versionId AS version_id,
    split_part(subject.reference, '/', -1) AS patient_id,
    split_part(encounter.reference, '/', -1) AS encounter_id,
    status,
    effectiveDateTime AS effective_datetime,
    effectivePeriod."start" AS effective_start,
    effectivePeriod."end" AS effective_end,
    effectiveInstant AS effective_instant,
    effectiveTiming."event"[-1] AS effective_event,
    issued,
    component,
    valued.code."text" AS code_text,
    coding."system" AS code_system,
    coding.code AS code,
    valueQuantity."value" AS "value",
    valueQuantity.comparator AS value_comparator,
    valueQuantity.unit AS value_unit,
    valueQuantity."system" AS value_unit_system,
    valueQuantity.code AS value_unit_code,
    value_coding."system" AS value_code_system,
    value_coding.code AS value_code,
    valueCodeableConcept."text" AS value_text,
    valueString AS value_string,
    valueInteger AS value_integer,
    valueBoolean AS value_boolean,
    valueDateTime AS value_datetime,
    valueRange.low."value" AS range_low,
    coalesce(valueRange.low.code, valueRange.low.unit) AS range_low_unit,
    valueRange.high."value" AS range_high,
    coalesce(valueRange.high.code, valueRange.high.unit) AS range_high_unit,
    valueRatio.numerator."value" AS ratio_numerator,
    valueRatio.numerator.comparator AS ratio_numerator_comparator,
    coalesce(valueRatio.numerator.code, valueRatio.numerator.unit) AS ratio_numerator_unit,
    valueRatio.denominator."value" AS ratio_denominator,
    valueRatio.denominator.comparator AS ratio_denominator_comparator,
    coalesce(valueRatio.denominator.code, valueRatio.denominator.unit) AS ratio_denominator_unit,
    dataAbsentReason.coding[1].code AS data_absent_reason,
    nullif(array_to_string(list_transform(
        flatten(list_transform(interpretation, lambda one: one.coding)), lambda one: one.code), ' '), '') AS interpretation,
    method_text,
    body_site_text,
    note_text
FROM valued
