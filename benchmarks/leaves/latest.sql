-- The latest ALT of a year, at most three times the upper limit: all that is said of it.
WITH measured AS (
    SELECT
        subject.patient_id, subject.as_of, result.resource, result.date_sent, result.sent, result.unit, result.flags,
        result.date_lo, coalesce(result.problem, result.number_problem) AS unusable,
        coalesce(result.clinical_time, result.date_hi) AS moment,
        CAST(subject.as_of - INTERVAL 12 MONTH AS DATE) AS since,
        result.uln_hi IS NULL AS assumed,
        CASE
            WHEN result.uln_hi IS NOT NULL THEN result.framed_hi <= 3 * result.uln_hi
            WHEN result.hi <= 3 * result.assumed_uln_lo THEN TRUE
            WHEN result.lo > 3 * result.assumed_uln_hi THEN FALSE
        END AS truth,
        CASE
            WHEN result.uln_hi IS NOT NULL THEN concat_ws(' ', shown(result.framed_hi), nullif(result.framed_unit, '1')) || '; uln ' || shown(result.uln_hi)
            ELSE concat_ws(' ', shown(result.hi), nullif(result.unit, '1')) || coalesce('; uln assumed ' || shown(result.assumed_uln_lo) || ' to ' || shown(result.assumed_uln_hi), '')
        END AS compared
    FROM subject
    JOIN result ON result.patient_id = subject.patient_id
    WHERE result.concept = 'alt' AND result.role IN ('primary', 'alt')
), latest AS (
    SELECT
        patient_id, as_of,
        max_by({truth: truth, assumed: assumed, flags: flags, date_lo: date_lo, moment: moment, resource: resource, date_sent: date_sent, sent: sent, compared: compared}, moment)
            FILTER (unusable IS NULL AND date_lo BETWEEN since AND as_of) AS newest,
        max_by({resource: resource, date_sent: date_sent, sent: sent, unit: unit}, moment) FILTER (unusable IS NULL AND date_lo < since) AS older,
        max_by({resource: resource, date_sent: date_sent, sent: sent, unusable: unusable, moment: moment}, moment)
            FILTER (unusable IS NOT NULL AND date_lo BETWEEN since AND as_of) AS aside,
        min(date_lo) FILTER (unusable IS NULL AND date_lo > as_of) AS next_result
    FROM measured
    GROUP BY patient_id, as_of
)
SELECT
    subject.patient_id,
    subject.as_of,
    newest.truth AS truth,
    FALSE AS suggested,
    CASE
        WHEN newest.truth THEN 'met'
        WHEN NOT newest.truth THEN 'not_met'
        WHEN newest IS NOT NULL THEN CASE WHEN newest.assumed THEN 'no_reference_range' ELSE 'comparator_straddles_threshold' END
        WHEN aside IS NOT NULL THEN aside.unusable
        WHEN older IS NOT NULL THEN 'out_of_window'
        ELSE 'no_data'
    END AS reason,
    list_filter([
        CASE WHEN newest.assumed AND newest.truth IS NOT NULL THEN 'assumed_uln' END,
        CASE WHEN aside.moment > newest.moment THEN 'newer_unusable' END,
        CASE WHEN aside.moment > newest.moment + INTERVAL 14 DAY THEN 'stale' END
    ], lambda flag: flag IS NOT NULL) || coalesce(list_sort(newest.flags), []) AS flags,
    [CASE
        WHEN newest IS NOT NULL THEN {leaf: 'LATEST.1', concept: 'alt', resource: newest.resource, date: newest.date_sent, value: newest.sent, compared: newest.compared, searched: NULL, since: NULL, found: NULL}
        WHEN aside IS NOT NULL THEN {leaf: 'LATEST.1', concept: 'alt', resource: aside.resource, date: aside.date_sent, value: aside.sent, compared: aside.unusable, searched: NULL, since: NULL, found: NULL}
        WHEN older IS NOT NULL THEN {leaf: 'LATEST.1', concept: 'alt', resource: older.resource, date: older.date_sent, value: older.sent, compared: older.unit, searched: NULL, since: NULL, found: NULL}
        ELSE {leaf: 'LATEST.1', concept: NULL, resource: NULL, date: NULL, value: NULL, compared: NULL, searched: 'Alanine aminotransferase (ALT)', since: CAST(CAST(subject.as_of - INTERVAL 12 MONTH AS DATE) AS VARCHAR), found: 0}
    END] AS evidence,
    least(next_result, CASE WHEN newest IS NOT NULL THEN greatest(CAST(newest.date_lo + INTERVAL 12 MONTH + INTERVAL 1 DAY AS DATE), CAST(subject.as_of + INTERVAL 1 DAY AS DATE)) END) AS next_date
FROM subject
LEFT JOIN latest ON latest.patient_id = subject.patient_id AND latest.as_of = subject.as_of
