-- Whether hemoglobin has fallen by a tenth in three years: the truth alone.
WITH measured AS (
    SELECT subject.patient_id, subject.as_of, lo, date_lo, clinical_time
    FROM subject
    JOIN result ON result.patient_id = subject.patient_id
    WHERE concept = 'hemoglobin' AND role IN ('primary', 'alt') AND problem IS NULL AND number_problem IS NULL
        AND date_lo BETWEEN subject.as_of - INTERVAL 36 MONTH AND subject.as_of
), latest AS (
    SELECT patient_id, as_of, max_by(lo, clinical_time) AS lo, max(date_lo) AS day
    FROM measured
    WHERE date_lo >= as_of - INTERVAL 12 MONTH
    GROUP BY patient_id, as_of
), based AS (
    SELECT latest.patient_id, latest.as_of, min_by(latest.lo <= 0.9 * measured.lo, clinical_time) AS fell, bool_or(latest.lo <= 0.9 * measured.lo) AS some_fell
    FROM latest
    JOIN measured ON measured.patient_id = latest.patient_id AND measured.as_of = latest.as_of
    WHERE measured.date_lo <= latest.day - INTERVAL 28 DAY
    GROUP BY latest.patient_id, latest.as_of
)
SELECT subject.patient_id, subject.as_of, CASE WHEN fell THEN TRUE WHEN NOT some_fell THEN FALSE END AS truth
FROM subject
LEFT JOIN based ON based.patient_id = subject.patient_id AND based.as_of = subject.as_of
