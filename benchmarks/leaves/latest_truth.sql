-- The latest ALT of a year, at most three times the upper limit: the truth alone.
SELECT
    subject.patient_id,
    subject.as_of,
    max_by(CASE
        WHEN uln_hi IS NOT NULL THEN framed_hi <= 3 * uln_hi
        WHEN hi <= 3 * assumed_uln_lo THEN TRUE
        WHEN lo > 3 * assumed_uln_hi THEN FALSE
    END, coalesce(clinical_time, date_hi)) AS truth
FROM subject
LEFT JOIN result
    ON result.patient_id = subject.patient_id AND concept = 'alt' AND role IN ('primary', 'alt')
    AND problem IS NULL AND number_problem IS NULL AND date_lo BETWEEN subject.as_of - INTERVAL 12 MONTH AND subject.as_of
GROUP BY subject.patient_id, subject.as_of
