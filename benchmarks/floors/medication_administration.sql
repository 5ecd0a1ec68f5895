-- One row for each MedicationAdministration and coding.
CREATE TABLE medication_administration AS
WITH coded AS (
    SELECT *,
        unnest(CASE WHEN len(medicationCodeableConcept.coding) > 0 THEN medicationCodeableConcept.coding ELSE [NULL] END)
            AS coding
    FROM read_json($files, format = 'newline_delimited', columns = {
        'id': 'VARCHAR',
        'meta': 'STRUCT(lastUpdated VARCHAR, versionId VARCHAR)',
        'subject': 'STRUCT(reference VARCHAR)',
        'status': 'VARCHAR',
        'medicationCodeableConcept': 'STRUCT(coding STRUCT("system" VARCHAR, code VARCHAR)[], "text" VARCHAR)',
        'medicationReference': 'STRUCT(reference VARCHAR, display VARCHAR)',
        'effectiveDateTime': 'VARCHAR',
        'effectivePeriod': 'STRUCT("start" VARCHAR, "end" VARCHAR)',
        'dosage': 'STRUCT("text" VARCHAR, route STRUCT(coding STRUCT(code VARCHAR)[], "text" VARCHAR),
            dose STRUCT("value" DECIMAL(28,10), comparator VARCHAR, unit VARCHAR, code VARCHAR))'
    })
)
SELECT
    id,
    meta.lastUpdated AS last_updated,
    meta.versionId AS version_id,
    split_part(subject.reference, '/', -1) AS patient_id,
    status,
    coding."system" AS code_system,
    coding.code AS code,
    medicationCodeableConcept."text" AS code_text,
    medicationReference.reference AS medication_reference,
    split_part(medicationReference.reference, '/', -1) AS medication_id,
    medicationReference.display AS medication_display,
    effectiveDateTime AS effective_datetime,
    effectivePeriod."start" AS effective_start,
    effectivePeriod."end" AS effective_end,
    dosage."text" AS dosage_text,
    nullif(array_to_string(list_transform(dosage.route.coding, lambda one: one.code), ' '), '') AS route_code,
    dosage.route."text" AS route_text,
    dosage.dose."value" AS dose_value,
    dosage.dose.comparator AS dose_comparator,
    coalesce(dosage.dose.code, dosage.dose.unit) AS dose_unit
FROM coded
