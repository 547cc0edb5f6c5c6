-- The aggregate scores of one job, as they were computed when it was committed.
SELECT
    * EXCLUDE (workspace, job, job_id, status, dataset, model),
    NULL::VARCHAR AS slice
FROM aggregate_scores
WHERE
    job_id = $job_id
    AND ($metric::VARCHAR IS NULL OR metric = $metric)
    AND ($suite::VARCHAR IS NULL OR suite = $suite)
ORDER BY suite, metric, name;
