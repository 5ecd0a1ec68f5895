-- One row for each dosage of a MedicationRequest and each dose of it.
CREATE TABLE medication_request_dosage AS
WITH told AS (
    SELECT id, meta, unnest(dosageInstruction) AS said, CAST(unnest(range(len(dosageInstruction))) AS INTEGER) AS dosage
    FROM read_json($files, format = 'newline_delimited', columns = {
        'id': 'VARCHAR',
        'meta': 'STRUCT(lastUpdated VARCHAR, versionId VARCHAR)',
        'dosageInstruction': 'STRUCT(
            "sequence" INTEGER,
            "text" VARCHAR,
            timing STRUCT(code STRUCT(coding STRUCT(code VARCHAR)[]), "repeat" STRUCT(
                frequency INTEGER, frequencyMax INTEGER, period DECIMAL(28,10), periodMax DECIMAL(28,10), periodUnit VARCHAR,
                dayOfWeek VARCHAR[], timeOfDay VARCHAR[], "when" VARCHAR[],
                boundsPeriod STRUCT("start" VARCHAR, "end" VARCHAR))),
            asNeededBoolean BOOLEAN,
            asNeededCodeableConcept JSON,
            route STRUCT(coding STRUCT(code VARCHAR)[], "text" VARCHAR),
            maxDosePerPeriod STRUCT(
                numerator STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR),
                denominator STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR)),
            doseAndRate STRUCT(
                "type" STRUCT(coding STRUCT(code VARCHAR)[]),
                doseQuantity STRUCT("value" DECIMAL(28,10), comparator VARCHAR, code VARCHAR, unit VARCHAR),
                doseRange STRUCT(
                    low STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR),
                    high STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR)))[])[]'
    })
),

dosed AS (
    SELECT *,
        unnest(CASE WHEN len(said.doseAndRate) > 0 THEN said.doseAndRate ELSE [NULL] END) AS dose,
        CAST(unnest(range(greatest(coalesce(len(said.doseAndRate), 0), 1))) AS INTEGER) AS dose_order
    FROM told
)
SELECT
    id,
    meta.lastUpdated AS last_updated,
    meta.versionId AS version_id,
    dosage,
    said."sequence" AS "sequence",
    said."text" AS dosage_text,
    nullif(array_to_string(list_transform(said.timing.code.coding, lambda one: one.code), ' '), '') AS timing_code,
    said.timing."repeat".frequency AS frequency,
    said.timing."repeat".frequencyMax AS frequency_max,
    said.timing."repeat".period AS period,
    said.timing."repeat".periodMax AS period_max,
    said.timing."repeat".periodUnit AS period_unit,
    nullif(array_to_string(said.timing."repeat".dayOfWeek, ' '), '') AS day_of_week,
    nullif(array_to_string(said.timing."repeat".timeOfDay, ' '), '') AS time_of_day,
    nullif(array_to_string(said.timing."repeat"."when", ' '), '') AS when_code,
    said.timing."repeat".boundsPeriod."start" AS bounds_start,
    said.timing."repeat".boundsPeriod."end" AS bounds_end,
    said.asNeededBoolean AS as_needed,
    said.asNeededCodeableConcept IS NOT NULL AS as_needed_for,
    nullif(array_to_string(list_transform(said.route.coding, lambda one: one.code), ' '), '') AS route_code,
    said.route."text" AS route_text,
    said.maxDosePerPeriod.numerator."value" AS most_value,
    coalesce(said.maxDosePerPeriod.numerator.code, said.maxDosePerPeriod.numerator.unit) AS most_unit,
    said.maxDosePerPeriod.denominator."value" AS most_period,
    coalesce(said.maxDosePerPeriod.denominator.code, said.maxDosePerPeriod.denominator.unit) AS most_period_unit,
    dose_order,
    nullif(array_to_string(list_transform(dose."type".coding, lambda one: one.code), ' '), '') AS dose_type,
    dose.doseQuantity."value" AS dose_value,
    dose.doseQuantity.comparator AS dose_comparator,
    coalesce(dose.doseQuantity.code, dose.doseQuantity.unit) AS dose_unit,
    dose.doseRange.low."value" AS dose_low,
    coalesce(dose.doseRange.low.code, dose.doseRange.low.unit) AS dose_low_unit,
    dose.doseRange.high."value" AS dose_high,
    coalesce(dose.doseRange.high.code, dose.doseRange.high.unit) AS dose_high_unit
FROM dosed
