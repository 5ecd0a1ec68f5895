-- One row for each Procedure and coding.
CREATE TABLE procedure AS
WITH coded AS (
    SELECT *, unnest(CASE WHEN len(code.coding) > 0 THEN code.coding ELSE [NULL] END) AS coding
    FROM read_json($files, format = 'newline_delimited', columns = {
        'id': 'VARCHAR',
        'meta': 'STRUCT(lastUpdated VARCHAR, versionId VARCHAR)',
        'subject': 'STRUCT(reference VARCHAR)',
        'encounter': 'STRUCT(reference VARCHAR)',
        'status': 'VARCHAR',
        'code': 'STRUCT(coding STRUCT("system" VARCHAR, code VARCHAR)[], "text" VARCHAR)',
        'performedDateTime': 'VARCHAR',
        'performedPeriod': 'STRUCT("start" VARCHAR, "end" VARCHAR)',
        'performedString': 'VARCHAR'
    })
)
SELECT
    id,
    meta.lastUpdated AS last_updated,
    meta.versionId AS version_id,
    split_part(subject.reference, '/', -1) AS patient_id,
    split_part(encounter.reference, '/', -1) AS encounter_id,
    status,
    coding."system" AS code_system,
    coding.code AS code,
    coded.code."text" AS code_text,
    performedDateTime AS performed_datetime,
    performedPeriod."start" AS performed_start,
    performedPeriod."end" AS performed_end,
    performedString AS performed_string
FROM coded
