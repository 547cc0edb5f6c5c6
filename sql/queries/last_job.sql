-- The n-th newest completed job of a workspace (0 = the newest), of one dataset and model where they are named.
SELECT name
FROM jobs
WHERE
    workspace = $workspace
    AND status = 'completed'
    AND ($dataset::VARCHAR IS NULL OR dataset = $dataset)
    AND ($model::VARCHAR IS NULL OR model = $model)
ORDER BY created_at DESC, job_id DESC
LIMIT 1 OFFSET $last;
