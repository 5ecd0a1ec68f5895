-- Metformin in the last three months: the truth alone.
WITH taken AS (
    SELECT
        subject.patient_id, subject.as_of,
        bool_or(inside AND standing = 'firm') AS sure,
        bool_or(inside OR maybe) AS ordered
    FROM subject
    JOIN (
        SELECT events.*, end_lo >= subject.as_of - INTERVAL 3 MONTH AS inside, end_hi >= subject.as_of - INTERVAL 3 MONTH AS maybe
        FROM exposure_event AS events
        JOIN subject ON subject.patient_id = events.patient_id
        WHERE concept = 'rx_metformin' AND start_lo <= subject.as_of
    ) AS events ON events.patient_id = subject.patient_id
    GROUP BY subject.patient_id, subject.as_of
), seen AS (
    SELECT
        subject.patient_id, subject.as_of,
        max(day) FILTER (kind <> 'procedure') >= subject.as_of - INTERVAL 12 MONTH AND bool_or(kind = 'medication') AS watched
    FROM subject
    JOIN observed ON observed.patient_id = subject.patient_id AND day <= subject.as_of
    GROUP BY subject.patient_id, subject.as_of
)
SELECT
    subject.patient_id,
    subject.as_of,
    CASE WHEN sure THEN TRUE WHEN ordered THEN NULL WHEN taken.patient_id IS NOT NULL OR watched THEN FALSE END AS truth
FROM subject
LEFT JOIN taken ON taken.patient_id = subject.patient_id AND taken.as_of = subject.as_of
LEFT JOIN seen ON seen.patient_id = subject.patient_id AND seen.as_of = subject.as_of
