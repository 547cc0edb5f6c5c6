-- Exactly one line per completed job: its references and all its aggregate scores.
CREATE OR REPLACE VIEW results AS
WITH scores AS (
    SELECT
        a.job_id,
        list(a ORDER BY a.suite, a.metric, a.name) AS scores
    FROM aggregate_scores AS a
    GROUP BY a.job_id
)

SELECT
    job.name,
    job.workspace,
    job.metric_ref AS metric,
    job.dataset,
    job.model,
    job.labels,
    coalesce(scores.scores, []) AS scores,
    job.job_id AS id,
    job.created_at,
    coalesce(job.finished_at, job.created_at) AS updated_at,
    job.status,
    job.kind,
    job."group",
    job.tags,
    job.rows_total,
    job.rows_scored,
    job.rows_unscored,
    job.rows_error,
    job.overall_score,
    job.pass_rate,
    job.cost
FROM job
LEFT JOIN scores ON job.job_id = scores.job_id
WHERE job.status = 'completed';
COMMENT ON VIEW results IS 'Exactly one line per completed job: metric, dataset and model references and its aggregate scores.';
