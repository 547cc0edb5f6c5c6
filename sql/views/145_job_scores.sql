-- The scores of whole jobs, out of the nested column job.summary_scores.
CREATE OR REPLACE VIEW job_scores AS
SELECT
    job.workspace,
    job.name AS job,
    job.job_id,
    job.status AS job_status,
    job.dataset,
    job.model,
    job."group",
    job.created_at,
    score.metric,
    score.name,
    score.score_index,
    score.value,
    score.value_type,
    score.label,
    score.passed,
    score.status,
    score.comment,
    score.error,
    score.correction,
    score.metadata,
    score.evaluator_info,
    score.feedback_config,
    score.extra,
    score.source_run_id,
    score.target_run_id
FROM job, unnest(job.summary_scores) AS unnested (score);
COMMENT ON VIEW job_scores IS
'One line per job and summary score: what summary evaluators said of the whole job, their errors among it.';
