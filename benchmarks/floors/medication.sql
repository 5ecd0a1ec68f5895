-- One row for each Medication, coding and ingredient coding.
CREATE TABLE medication AS
WITH coded AS (
    SELECT *,
        unnest(CASE WHEN len(code.coding) > 0 THEN code.coding ELSE [NULL] END) AS coding
    FROM read_json($files, format = 'newline_delimited', columns = {
        'id': 'VARCHAR',
        'meta': 'STRUCT(lastUpdated VARCHAR, versionId VARCHAR)',
        'status': 'VARCHAR',
        'form': 'STRUCT(coding STRUCT(code VARCHAR)[], "text" VARCHAR)',
        'code': 'STRUCT(coding STRUCT("system" VARCHAR, code VARCHAR)[], "text" VARCHAR)',
        'ingredient': 'STRUCT(
            itemCodeableConcept STRUCT(coding STRUCT("system" VARCHAR, code VARCHAR)[], "text" VARCHAR),
            itemReference STRUCT(reference VARCHAR), isActive BOOLEAN,
            strength STRUCT(numerator STRUCT("value" DECIMAL(28,10), unit VARCHAR, code VARCHAR),
                denominator STRUCT("value" DECIMAL(28,10), unit VARCHAR, code VARCHAR)))[]'
    })
),

mixed AS (
    SELECT *, unnest(CASE WHEN len(ingredient) > 0 THEN ingredient ELSE [NULL] END) AS part,
        unnest(CASE WHEN len(ingredient) > 0 THEN range(len(ingredient)) ELSE [0] END) AS place
    FROM coded
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
    nullif(array_to_string(list_transform(form.coding, lambda one: one.code), ' '), '') AS form_code,
    form."text" AS form_text,
    part_coding."system" AS ingredient_system,
    part_coding.code AS ingredient_code,
    part.itemCodeableConcept."text" AS ingredient_text,
    part.isActive AS ingredient_active,
    split_part(part.itemReference.reference, '/', -1) AS ingredient_medication_id,
    place::INTEGER AS ingredient,
    part.strength.numerator."value" AS strength_value,
    coalesce(part.strength.numerator.code, part.strength.numerator.unit) AS strength_unit,
    part.strength.denominator."value" AS strength_per_value,
    coalesce(part.strength.denominator.code, part.strength.denominator.unit) AS strength_per_unit
FROM parted
