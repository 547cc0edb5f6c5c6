-- The newest accepted jobs of the series of a job, itself left out.
-- Accepted is what was completed before it, has its rows, and passed the last gate that judged it or was set as a
-- baseline once.
SELECT accepted.*
FROM jobs AS accepted
INNER JOIN jobs AS judged
    ON
        accepted.workspace = judged.workspace
        AND accepted.dataset IS NOT DISTINCT FROM judged.dataset
        AND accepted.model IS NOT DISTINCT FROM judged.model
        AND accepted."group" IS NOT DISTINCT FROM judged."group"
        AND accepted.job_id <> judged.job_id
        AND accepted.created_at <= judged.created_at
WHERE
    judged.job_id = $job_id
    AND accepted.status = 'completed'
    AND accepted.rows_dropped_at IS NULL
    AND (
        accepted.job_id IN (SELECT job_id FROM baseline)
        OR accepted.job_id IN (
            SELECT job_id FROM gate_verdict
            GROUP BY job_id
            HAVING arg_max(outcome, judged_at) = 'pass'
        )
    )
ORDER BY accepted.created_at DESC, accepted.job_id DESC
LIMIT $last;
