-- Takes the lines of some jobs out of the table aggregate_score.
DELETE FROM aggregate_score
WHERE list_contains($job_ids, job_id);
