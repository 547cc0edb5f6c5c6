-- Takes the lines of some jobs out of the table job.
DELETE FROM job
WHERE list_contains($job_ids, job_id);
