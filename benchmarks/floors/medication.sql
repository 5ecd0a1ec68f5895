-- One row for each Medication, coding and ingredient coding.
CREATE TABLE medication AS
WITH coded AS (
    SELECT *,
        unnest(CASE WHEN len(code.coding) > 0 THEN code.coding ELSE [NULL] END) AS coding
    FROM read_json($files, format = 'newline_delimited', columns = {
        'id': 'VARCHAR',
        'meta': 'STRUCT(lastUpdated VARCHAR, versionId VARCHAR)',
        'status': 'VARCHAR',
        'code': 'STRUCT(coding STRUCT("system" VARCHAR, code VARCHAR)[], "text" VARCHAR)',
        'ingredient': 'STRUCT(
            itemCodeableConcept STRUCT(coding STRUCT("system" VARCHAR, code VARCHAR)[], "text" VARCHAR),
            itemReference STRUCT(reference VARCHAR), isActive BOOLEAN)[]'
    })
),

mixed AS (
    SELECT *, unnest(CASE WHEN len(ingredient) > 0 THEN ingredient ELSE [NULL] END) AS part FROM coded
),

parted AS (
    SELECT *,
        unnest(CASE WHEN len(part.itemCodeableConcept.coding) > 0 THEN part.itemCodeableConcept.coding ELSE [NULL] END)
            AS part_coding
    FROM mixed
)
SELECT
    id,
    meta.lastUpdated AS last_updated,
    meta.versionId AS version_id,
    status,
    coding."system" AS code_system,
    coding.code AS code,
    parted.code."text" AS code_text,
    part_coding."system" AS ingredient_system,
    part_coding.code AS ingredient_code,
    part.itemCodeableConcept."text" AS ingredient_text,
    part.isActive AS ingredient_active,
    split_part(part.itemReference.reference, '/', -1) AS ingredient_medication_id
FROM parted
