-- One row for each Condition and coding.
CREATE TABLE condition AS
WITH coded AS (
    SELECT *, unnest(CASE WHEN len(code.coding) > 0 THEN code.coding ELSE [NULL] END) AS coding
    FROM read_json($files, format = 'newline_delimited', columns = {
        'id': 'VARCHAR',
        'meta': 'STRUCT(lastUpdated VARCHAR, versionId VARCHAR)',
        'subject': 'STRUCT(reference VARCHAR)',
        'encounter': 'STRUCT(reference VARCHAR)',
        'code': 'STRUCT(coding STRUCT("system" VARCHAR, code VARCHAR)[], "text" VARCHAR)',
        'clinicalStatus': 'STRUCT(coding STRUCT(code VARCHAR)[])',
        'verificationStatus': 'STRUCT(coding STRUCT(code VARCHAR)[])',
        'category': 'STRUCT(coding STRUCT(code VARCHAR)[])[]',
        'severity': 'STRUCT(coding STRUCT(code VARCHAR)[])',
        'onsetDateTime': 'VARCHAR',
        'onsetPeriod': 'STRUCT("start" VARCHAR)',
        'onsetAge': 'STRUCT("value" DECIMAL(28,10), code VARCHAR)',
        'onsetRange': 'STRUCT(low STRUCT("value" DECIMAL(28,10)), high STRUCT("value" DECIMAL(28,10)))',
        'onsetString': 'VARCHAR',
        'abatementDateTime': 'VARCHAR',
        'abatementPeriod': 'STRUCT("start" VARCHAR, "end" VARCHAR)',
        'abatementAge': 'STRUCT("value" DECIMAL(28,10), code VARCHAR)',
        'abatementString': 'VARCHAR',
        'recordedDate': 'VARCHAR'
    })
)
SELECT
    id,
    meta.lastUpdated AS last_updated,
    meta.versionId AS version_id,
    split_part(subject.reference, '/', -1) AS patient_id,
    split_part(encounter.reference, '/', -1) AS encounter_id,
    coding."system" AS code_system,
    coding.code AS code,
    coded.code."text" AS code_text,
    clinicalStatus.coding[1].code AS clinical_status,
    verificationStatus.coding[1].code AS verification_status,
    nullif(array_to_string(list_transform(
        flatten(list_transform(category, lambda one: one.coding)), lambda one: one.code), ' '), '') AS category,
    severity.coding[1].code AS severity,
    onsetDateTime AS onset_datetime,
    onsetPeriod."start" AS onset_start,
    onsetAge."value" AS onset_age,
    onsetAge.code AS onset_age_unit,
    onsetRange.low."value" AS onset_age_low,
    onsetRange.high."value" AS onset_age_high,
    onsetString AS onset_string,
    abatementDateTime AS abatement_datetime,
    abatementPeriod."start" AS abatement_start,
    abatementPeriod."end" AS abatement_end,
    abatementAge."value" AS abatement_age,
    abatementAge.code AS abatement_age_unit,
    abatementString AS abatement_string,
    recordedDate AS recorded_date
FROM coded
