-- The baselines of a workspace, or all versions of them, the newest first.
SELECT
    shown.*,
    job.status,
    job.name AS job_now
FROM baselines AS shown
LEFT JOIN job ON shown.job_id = job.job_id
WHERE
    shown.workspace = $workspace
    AND ($baseline::VARCHAR IS NULL OR shown.baseline = $baseline)
    AND (shown.is_current OR $with_history)
ORDER BY shown.set_at DESC, shown.baseline ASC, shown.version DESC;
