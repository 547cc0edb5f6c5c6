-- The names of all jobs of a workspace.
SELECT name
FROM jobs
WHERE workspace = $workspace
ORDER BY name;
