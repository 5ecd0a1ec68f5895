-- One row for each referenceRange of an Observation or of one of its components.
CREATE TABLE observation_range AS
WITH resource AS (
    SELECT id, meta, referenceRange, component
    FROM read_json($files, format = 'newline_delimited', columns = {
        'id': 'VARCHAR',
        'meta': 'STRUCT(lastUpdated VARCHAR, versionId VARCHAR)',
        'referenceRange': 'STRUCT(
            low STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR),
            high STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR),
            "type" STRUCT(coding STRUCT(code VARCHAR)[]),
            appliesTo STRUCT(coding STRUCT(code VARCHAR)[])[],
            age STRUCT(low STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR),
                high STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR)),
            "text" VARCHAR)[]',
        'component': 'STRUCT(referenceRange STRUCT(
            low STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR),
            high STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR),
            "type" STRUCT(coding STRUCT(code VARCHAR)[]),
            appliesTo STRUCT(coding STRUCT(code VARCHAR)[])[],
            age STRUCT(low STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR),
                high STRUCT("value" DECIMAL(28,10), code VARCHAR, unit VARCHAR)),
            "text" VARCHAR)[])[]'
    })
    WHERE len(referenceRange) > 0 OR len(component) > 0
),

part AS (
    SELECT id, meta, unnest(component) AS component, unnest(range(len(component))) AS position
    FROM resource
),

ranged AS (
    SELECT id, meta, CAST(NULL AS INTEGER) AS component, unnest(referenceRange) AS one FROM resource
    UNION ALL
    SELECT id, meta, CAST(position AS INTEGER), unnest(component.referenceRange) FROM part
)
SELECT
    id,
    meta.lastUpdated AS last_updated,
    meta.versionId AS version_id,
    component,
    one.low."value" AS low,
    coalesce(one.low.code, one.low.unit) AS low_unit,
    one.high."value" AS high,
    coalesce(one.high.code, one.high.unit) AS high_unit,
    one."type".coding[1].code AS type_code,
    nullif(array_to_string(list_transform(
        flatten(list_transform(one.appliesTo, lambda kind: kind.coding)), lambda kind: kind.code), ' '), '') AS applies_to,
    one.age.low."value" AS age_low,
    coalesce(one.age.low.code, one.age.low.unit) AS age_low_unit,
    one.age.high."value" AS age_high,
    coalesce(one.age.high.code, one.age.high.unit) AS age_high_unit,
    one."text" AS "text"
FROM ranged
