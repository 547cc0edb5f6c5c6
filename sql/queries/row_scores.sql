-- The scores of one job in long form, in the order of its rows.
SELECT *
FROM row_scores
WHERE
    job_id = $job_id
    AND ($metric::VARCHAR IS NULL OR metric = $metric)
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
ORDER BY suite, row_index, row_key, repetition, metric, name, score_index;
