-- Which of some jobs the attached catalog has already; all that it has when none are named.
SELECT job_id FROM job
WHERE $job_ids::VARCHAR[] IS NULL OR list_contains($job_ids::VARCHAR[], job_id);
