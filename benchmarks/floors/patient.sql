-- One row for each Patient.
CREATE TABLE patient AS
SELECT
    id,
    meta.lastUpdated AS last_updated,
    meta.versionId AS version_id,
    gender,
    list_filter(extension, lambda one: one.url = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex')[1].valueCode AS birth_sex,
    birthDate AS birth_date,
    active,
    deceasedBoolean AS deceased,
    deceasedDateTime AS deceased_at,
    split_part(list_filter(link, lambda one: one."type" = 'replaced-by')[1].other.reference, '/', -1) AS replaced_by,
    nullif(array_to_string(list_transform(list_filter(link, lambda one: one."type" = 'replaces'), lambda one: split_part(one.other.reference, '/', -1)), ' '), '') AS replaces
FROM read_json($files, format = 'newline_delimited', columns = {
    'id': 'VARCHAR',
    'meta': 'STRUCT(lastUpdated VARCHAR, versionId VARCHAR)',
    'gender': 'VARCHAR',
    'extension': 'STRUCT(url VARCHAR, valueCode VARCHAR)[]',
    'birthDate': 'VARCHAR',
    'active': 'BOOLEAN',
    'deceasedBoolean': 'BOOLEAN',
    'deceasedDateTime': 'VARCHAR',
    'link': 'STRUCT("type" VARCHAR, other STRUCT(reference VARCHAR))[]'
})
