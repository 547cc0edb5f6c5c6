-- The jobs that a benchmark compares: the latest completed one of each model.
SELECT job_id
FROM benchmarked_jobs($workspace, $group, NULL, $dataset)
ORDER BY job_id;
