-- How many rows of one job failed: their targets gave no output.
SELECT count(*) AS failed
FROM rows
WHERE job_id = $job_id AND error IS NOT NULL;
