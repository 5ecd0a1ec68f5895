-- Metformin in the last three months: all that is said of it.
WITH taken AS (
    SELECT
        subject.patient_id, subject.as_of, events.resource, events.standing, events.problem, events.date_sent, events.sent,
        coalesce(events.noted, events.start_lo) AS moment, events.end_lo, events.start_lo,
        events.start_lo > subject.as_of AS later,
        events.start_lo <= subject.as_of AND events.end_lo >= subject.as_of - INTERVAL 3 MONTH AS inside,
        events.start_lo <= subject.as_of AND events.end_lo < subject.as_of - INTERVAL 3 MONTH AND events.end_hi >= subject.as_of - INTERVAL 3 MONTH AS maybe,
        events.end_hi
    FROM subject
    JOIN exposure_event AS events ON events.patient_id = subject.patient_id
    WHERE events.concept = 'rx_metformin'
), summary AS (
    SELECT
        patient_id, as_of,
        max_by({resource: resource, date_sent: date_sent, sent: sent, standing: standing}, moment, 5) FILTER (inside AND standing = 'firm') AS sure,
        max_by({resource: resource, date_sent: date_sent, sent: sent, standing: standing}, moment, 5) FILTER (maybe OR (inside AND standing = 'order')) AS ordered,
        max_by({resource: resource, date_sent: date_sent, sent: sent, standing: standing}, moment, 5) FILTER (NOT inside AND NOT maybe AND NOT later) AS outside,
        coalesce(min(problem) FILTER (inside AND standing = 'order'), min(coalesce(problem, 'partial_date')) FILTER (maybe)) AS problem,
        min(CASE WHEN later THEN start_lo WHEN inside AND end_lo < DATE '9000-01-01' THEN greatest(CAST(end_lo + INTERVAL 3 MONTH + INTERVAL 1 DAY AS DATE), CAST(as_of + INTERVAL 1 DAY AS DATE)) WHEN maybe AND end_hi < DATE '9000-01-01' THEN greatest(CAST(end_hi + INTERVAL 3 MONTH + INTERVAL 1 DAY AS DATE), CAST(as_of + INTERVAL 1 DAY AS DATE)) END) AS next_date
    FROM taken
    GROUP BY patient_id, as_of
), seen AS (
    SELECT
        subject.patient_id, subject.as_of,
        max(day) FILTER (day <= subject.as_of AND kind <> 'procedure') AS day,
        min(day) FILTER (day > subject.as_of AND kind <> 'procedure') AS next_day,
        bool_or(kind = 'medication' AND day <= subject.as_of) AS medicated,
        coalesce(sum(resources) FILTER (day <= subject.as_of AND kind = 'medication'), 0) AS records,
        min(day) FILTER (day <= subject.as_of AND kind = 'medication') AS first_day
    FROM subject
    JOIN observed ON observed.patient_id = subject.patient_id
    GROUP BY subject.patient_id, subject.as_of
), judged AS (
    SELECT
        subject.patient_id, subject.as_of, sure, ordered, outside, summary.problem, summary.next_date, seen.*  EXCLUDE (patient_id, as_of),
        coalesce(seen.medicated AND seen.day >= subject.as_of - INTERVAL 12 MONTH, FALSE) AS watched,
    FROM subject
    LEFT JOIN summary ON summary.patient_id = subject.patient_id AND summary.as_of = subject.as_of
    LEFT JOIN seen ON seen.patient_id = subject.patient_id AND seen.as_of = subject.as_of
)
SELECT
    patient_id,
    as_of,
    CASE WHEN sure IS NOT NULL THEN TRUE WHEN ordered IS NOT NULL THEN NULL WHEN outside IS NOT NULL OR watched THEN FALSE END AS truth,
    sure IS NOT NULL AS suggested,
    CASE
        WHEN sure IS NOT NULL THEN 'met'
        WHEN ordered IS NOT NULL THEN problem
        WHEN outside IS NOT NULL THEN 'outside_window'
        WHEN watched THEN 'absent'
        WHEN day IS NOT NULL THEN 'not_observed'
        ELSE 'no_data'
    END AS reason,
    CAST([] AS VARCHAR[]) AS flags,
    CASE
        WHEN coalesce(sure, ordered, outside) IS NOT NULL
            THEN list_transform(coalesce(sure, ordered, outside), lambda one: {leaf: 'WASH-OUT.1', concept: 'rx_metformin', resource: one.resource, date: one.date_sent, value: one.sent, compared: one.standing, searched: CAST(NULL AS VARCHAR), since: CAST(NULL AS VARCHAR), found: CAST(NULL AS INTEGER)})
        ELSE [{leaf: 'WASH-OUT.1', concept: NULL, resource: NULL, date: NULL, value: NULL, compared: NULL, searched: CAST(coalesce(records, 0) AS VARCHAR) || ' medication records', since: CAST(first_day AS VARCHAR), found: 0}]
    END AS evidence,
    CASE
        WHEN coalesce(sure, ordered, outside) IS NOT NULL THEN next_date
        WHEN watched THEN least(next_date, greatest(CAST(day + INTERVAL 12 MONTH + INTERVAL 1 DAY AS DATE), CAST(as_of + INTERVAL 1 DAY AS DATE)))
        ELSE least(next_date, next_day)
    END AS next_date
FROM judged
