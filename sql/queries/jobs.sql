-- The jobs of a workspace, newest first.
SELECT
    name,
    workspace,
    status,
    dataset,
    model,
    rows_total,
    rows_scored,
    rows_error,
    overall_score,
    pass_rate,
    cost,
    duration,
    created_at,
    "group",
    tags,
    kind,
    git_commit,
    job_id
FROM jobs
WHERE
    ($workspace::VARCHAR IS NULL OR workspace = $workspace)
    AND ($status::VARCHAR IS NULL OR status = $status)
    AND ($dataset::VARCHAR IS NULL OR dataset = $dataset)
    AND ($model::VARCHAR IS NULL OR model = $model)
    AND ($group::VARCHAR IS NULL OR "group" = $group)
    AND ($tag::VARCHAR IS NULL OR list_contains(tags, $tag))
ORDER BY created_at DESC, job_id DESC
LIMIT $limit;
