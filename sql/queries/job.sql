-- Everything that is known of one job.
SELECT *
FROM jobs
WHERE workspace = $workspace AND name = $name;
