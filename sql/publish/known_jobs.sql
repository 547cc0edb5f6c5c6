-- Which of some jobs the attached catalog has already.
SELECT job_id FROM job
WHERE list_contains($job_ids, job_id);
