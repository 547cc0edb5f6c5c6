-- The jobs of a workspace that may go: of each series all but the newest of a status, and created before a time.
WITH ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY dataset, model, "group", status ORDER BY created_at DESC, job_id DESC
        ) AS newest
    FROM jobs
    WHERE workspace = $workspace
)

SELECT
    ranked.workspace,
    ranked.name AS job,
    ranked.job_id,
    ranked.dataset,
    ranked.model,
    ranked."group",
    ranked.status,
    ranked.created_at,
    score_file.scores_bytes + score_file.rows_bytes AS "bytes",
    CASE
        WHEN list_contains($protected::VARCHAR[], ranked.job_id) THEN 'a baseline'
        WHEN list_contains(ranked.tags, $pin::VARCHAR) THEN 'tagged ' || $pin::VARCHAR
    END AS kept_as
FROM ranked
INNER JOIN score_file ON ranked.job_id = score_file.job_id
WHERE
    ($keep_last::INTEGER IS NULL OR ranked.newest > $keep_last)
    AND ($created_before::TIMESTAMPTZ IS NULL OR ranked.created_at < $created_before)
    AND ($statuses::VARCHAR[] IS NULL OR list_contains($statuses::VARCHAR[], ranked.status))
    AND (NOT $has_rows::BOOLEAN OR score_file.rows_count > 0)
ORDER BY ranked.created_at, ranked.job_id;
