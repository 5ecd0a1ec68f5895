-- One row for each Encounter.
CREATE TABLE encounter AS
SELECT
    id,
    meta.lastUpdated AS last_updated,
    meta.versionId AS version_id,
    split_part(subject.reference, '/', -1) AS patient_id,
    status,
    class.code AS class_code,
    period."start" AS start_at,
    period."end" AS end_at
FROM read_json($files, format = 'newline_delimited', columns = {
    'id': 'VARCHAR',
    'meta': 'STRUCT(lastUpdated VARCHAR, versionId VARCHAR)',
    'subject': 'STRUCT(reference VARCHAR)',
    'status': 'VARCHAR',
    'class': 'STRUCT(code VARCHAR)',
    'period': 'STRUCT("start" VARCHAR, "end" VARCHAR)'
})
