-- Which of some jobs the attached catalog has, and which jobs it has under some names.
SELECT job_id FROM job
WHERE list_contains($job_ids, job_id) OR list_contains($paths, workspace || '/' || name);
