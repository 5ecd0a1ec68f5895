-- One row for each Immunization and coding.
CREATE TABLE immunization AS
WITH coded AS (
    SELECT *, unnest(CASE WHEN len(vaccineCode.coding) > 0 THEN vaccineCode.coding ELSE [NULL] END) AS coding
    FROM read_json($files, format = 'newline_delimited', columns = {
        'id': 'VARCHAR',
        'meta': 'STRUCT(lastUpdated VARCHAR, versionId VARCHAR)',
        'patient': 'STRUCT(reference VARCHAR)',
        'status': 'VARCHAR',
        'vaccineCode': 'STRUCT(coding STRUCT("system" VARCHAR, code VARCHAR)[], "text" VARCHAR)',
        'occurrenceDateTime': 'VARCHAR',
        'occurrenceString': 'VARCHAR'
    })
)
SELECT
    id,
    meta.lastUpdated AS last_updated,
    meta.versionId AS version_id,
    split_part(patient.reference, '/', -1) AS patient_id,
    status,
    coding."system" AS code_system,
    coding.code AS code,
    vaccineCode."text" AS code_text,
    occurrenceDateTime AS occurrence_datetime,
    occurrenceString AS occurrence_string
FROM coded
