-- Takes the lines of some jobs out of the table score_file.
DELETE FROM score_file
WHERE list_contains($job_ids, job_id);
