-- One row for each AllergyIntolerance and coding.
CREATE TABLE allergy AS
WITH coded AS (
    SELECT *, unnest(CASE WHEN len(code.coding) > 0 THEN code.coding ELSE [NULL] END) AS coding
    FROM read_json($files, format = 'newline_delimited', columns = {
        'id': 'VARCHAR',
        'meta': 'STRUCT(lastUpdated VARCHAR, versionId VARCHAR)',
        'patient': 'STRUCT(reference VARCHAR)',
        'code': 'STRUCT(coding STRUCT("system" VARCHAR, code VARCHAR)[], "text" VARCHAR)',
        'clinicalStatus': 'STRUCT(coding STRUCT(code VARCHAR)[])',
        'verificationStatus': 'STRUCT(coding STRUCT(code VARCHAR)[])',
        'type': 'VARCHAR',
        'criticality': 'VARCHAR',
        'reaction': 'STRUCT(severity VARCHAR)[]',
        'onsetDateTime': 'VARCHAR',
        'recordedDate': 'VARCHAR'
    })
)
SELECT
    id,
    meta.lastUpdated AS last_updated,
    meta.versionId AS version_id,
    split_part(patient.reference, '/', -1) AS patient_id,
    coding."system" AS code_system,
    coding.code AS code,
    coded.code."text" AS code_text,
    clinicalStatus.coding[1].code AS clinical_status,
    verificationStatus.coding[1].code AS verification_status,
    "type",
    criticality,
    nullif(array_to_string(list_transform(reaction, lambda one: one.severity), ' '), '') AS reaction_severity,
    onsetDateTime AS onset_datetime,
    recordedDate AS recorded_date
FROM coded
