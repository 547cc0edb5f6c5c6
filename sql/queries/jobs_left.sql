-- Which of some jobs are still in the store as they were, by their ids.
SELECT job_id
FROM jobs
WHERE list_contains($job_ids::VARCHAR[], job_id)
ORDER BY job_id;
