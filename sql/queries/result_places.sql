-- Where in the table `job` a job stands.
SELECT rowid AS place
FROM job
WHERE job_id = $job_id;
