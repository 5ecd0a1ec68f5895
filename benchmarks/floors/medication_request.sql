-- One row for each MedicationRequest and coding.
CREATE TABLE medication_request AS
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
        'intent': 'VARCHAR',
        'doNotPerform': 'BOOLEAN',
        'reportedBoolean': 'BOOLEAN',
        'authoredOn': 'VARCHAR',
        'dosageInstruction':
            'STRUCT(timing STRUCT("repeat" STRUCT(boundsPeriod STRUCT("start" VARCHAR, "end" VARCHAR))))[]',
        'dispenseRequest': 'STRUCT(validityPeriod STRUCT("start" VARCHAR, "end" VARCHAR),
            expectedSupplyDuration STRUCT("value" DECIMAL(28,10)), numberOfRepeatsAllowed INTEGER)'
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
    intent,
    doNotPerform AS do_not_perform,
    reportedBoolean AS reported,
    authoredOn AS authored_on,
    dosageInstruction[1].timing."repeat".boundsPeriod."start" AS bounds_start,
    dosageInstruction[1].timing."repeat".boundsPeriod."end" AS bounds_end,
    dispenseRequest.validityPeriod."start" AS validity_start,
    dispenseRequest.validityPeriod."end" AS validity_end,
    dispenseRequest.expectedSupplyDuration."value" AS supply_days,
    dispenseRequest.numberOfRepeatsAllowed AS repeats_allowed
FROM coded
