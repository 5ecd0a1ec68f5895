-- Whether hemoglobin has fallen by a tenth in three years: all that is said of it.
WITH measured AS (
    SELECT
        subject.patient_id, subject.as_of, result.resource, result.date_sent, result.sent, result.unit, result.flags, result.lo,
        result.date_lo, result.clinical_time AS moment, coalesce(result.problem, result.number_problem) AS unusable,
        CAST(subject.as_of - INTERVAL 36 MONTH AS DATE) AS since,
        CAST(subject.as_of - INTERVAL 12 MONTH AS DATE) AS recent
    FROM subject
    JOIN result ON result.patient_id = subject.patient_id
    WHERE result.concept = 'hemoglobin' AND result.role IN ('primary', 'alt')
), ends AS (
    SELECT
        patient_id, as_of,
        max_by({lo: lo, date_lo: date_lo, moment: moment, resource: resource, date_sent: date_sent, sent: sent, unit: unit, flags: flags}, moment)
            FILTER (unusable IS NULL AND date_lo BETWEEN recent AND as_of) AS latest,
        max_by({resource: resource, date_sent: date_sent, sent: sent, unit: unit}, moment) FILTER (unusable IS NULL AND date_lo < recent) AS older,
        max_by({resource: resource, date_sent: date_sent, sent: sent, unusable: unusable, moment: moment}, moment)
            FILTER (unusable IS NOT NULL AND date_lo BETWEEN recent AND as_of) AS aside,
        min(date_lo) FILTER (unusable IS NULL AND date_lo BETWEEN since AND as_of) AS first_day,
        min(date_lo) FILTER (unusable IS NULL AND date_lo > as_of) AS next_result
    FROM measured
    GROUP BY patient_id, as_of
), based AS (
    SELECT
        ends.patient_id, ends.as_of,
        min_by({lo: measured.lo, resource: measured.resource, date_sent: measured.date_sent, sent: measured.sent, unit: measured.unit, flags: measured.flags}, measured.moment) AS base,
        bool_or(latest.lo <= CAST(0.9 AS DECIMAL(9, 4)) * CAST(measured.lo AS DECIMAL(24, 10))) AS some_fell,
        list({leaf: 'TREND.1', concept: 'hemoglobin', resource: measured.resource, date: measured.date_sent, value: measured.sent, compared: concat_ws(' ', shown(measured.lo), nullif(measured.unit, '1')), searched: CAST(NULL AS VARCHAR), since: CAST(NULL AS VARCHAR), found: CAST(NULL AS INTEGER)} ORDER BY measured.date_lo)
            FILTER (latest.lo <= CAST(0.9 AS DECIMAL(9, 4)) * CAST(measured.lo AS DECIMAL(24, 10))) AS falls
    FROM ends
    JOIN measured ON measured.patient_id = ends.patient_id AND measured.as_of = ends.as_of
    WHERE measured.unusable IS NULL AND measured.date_lo >= measured.since AND measured.date_lo <= latest.date_lo - INTERVAL 28 DAY
    GROUP BY ends.patient_id, ends.as_of
), judged AS (
    SELECT
        subject.patient_id, subject.as_of, latest, older, aside, base, falls, first_day, next_result,
        CASE WHEN base IS NULL THEN NULL WHEN latest.lo <= CAST(0.9 AS DECIMAL(9, 4)) * CAST(base.lo AS DECIMAL(24, 10)) THEN TRUE WHEN NOT some_fell THEN FALSE END AS truth
    FROM subject
    LEFT JOIN ends ON ends.patient_id = subject.patient_id AND ends.as_of = subject.as_of
    LEFT JOIN based ON based.patient_id = subject.patient_id AND based.as_of = subject.as_of
)
SELECT
    patient_id,
    as_of,
    truth,
    FALSE AS suggested,
    CASE
        WHEN truth THEN 'met'
        WHEN NOT truth THEN 'not_met'
        WHEN base IS NOT NULL THEN 'baseline_dependent'
        WHEN latest IS NOT NULL THEN 'baseline_missing'
        WHEN aside IS NOT NULL THEN aside.unusable
        WHEN older IS NOT NULL THEN 'out_of_window'
        ELSE 'no_data'
    END AS reason,
    list_distinct(list_filter([
        CASE WHEN truth IS NULL AND base IS NOT NULL THEN 'baseline_dependent' END,
        CASE WHEN aside.moment > latest.moment THEN 'newer_unusable' END,
        CASE WHEN aside.moment > latest.moment + INTERVAL 14 DAY THEN 'stale' END
    ], lambda flag: flag IS NOT NULL) || coalesce(latest.flags, []) || coalesce(base.flags, [])) AS flags,
    CASE
        WHEN latest IS NOT NULL THEN ([{leaf: 'TREND.1', concept: 'hemoglobin', resource: latest.resource, date: latest.date_sent, value: latest.sent, compared: concat_ws(' ', shown(latest.lo), nullif(latest.unit, '1')), searched: CAST(NULL AS VARCHAR), since: CAST(NULL AS VARCHAR), found: CAST(NULL AS INTEGER)}]
            || CASE WHEN base IS NOT NULL THEN [{leaf: 'TREND.1', concept: 'hemoglobin', resource: base.resource, date: base.date_sent, value: base.sent, compared: concat_ws(' ', shown(base.lo), nullif(base.unit, '1')), searched: CAST(NULL AS VARCHAR), since: CAST(NULL AS VARCHAR), found: CAST(NULL AS INTEGER)}] ELSE [] END
            || CASE WHEN truth IS NULL THEN coalesce(falls, []) ELSE [] END)[1:5]
        WHEN aside IS NOT NULL THEN [{leaf: 'TREND.1', concept: 'hemoglobin', resource: aside.resource, date: aside.date_sent, value: aside.sent, compared: aside.unusable, searched: NULL, since: NULL, found: NULL}]
        WHEN older IS NOT NULL THEN [{leaf: 'TREND.1', concept: 'hemoglobin', resource: older.resource, date: older.date_sent, value: older.sent, compared: older.unit, searched: NULL, since: NULL, found: NULL}]
        ELSE [{leaf: 'TREND.1', concept: NULL, resource: NULL, date: NULL, value: NULL, compared: NULL, searched: 'Hemoglobin in blood', since: CAST(CAST(as_of - INTERVAL 36 MONTH AS DATE) AS VARCHAR), found: 0}]
    END AS evidence,
    least(
        next_result,
        CASE WHEN latest IS NOT NULL THEN greatest(CAST(latest.date_lo + INTERVAL 12 MONTH + INTERVAL 1 DAY AS DATE), CAST(as_of + INTERVAL 1 DAY AS DATE)) END,
        CASE WHEN first_day IS NOT NULL THEN greatest(CAST(first_day + INTERVAL 36 MONTH + INTERVAL 1 DAY AS DATE), CAST(as_of + INTERVAL 1 DAY AS DATE)) END
    ) AS next_date
FROM judged
