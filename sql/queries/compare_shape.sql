-- Whether the scores of two jobs are plain: no row is repeated or failed, and no metric scores a row twice.
SELECT
    len($baselines::VARCHAR[]) = 1
    AND (SELECT coalesce(max(repetition), 0) = 0 FROM rows WHERE (job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id)))
    AND (SELECT count(error) = 0 FROM rows WHERE (job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id)))
    AND (SELECT coalesce(max(score_index), 0) = 0 FROM row_scores WHERE (job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id)))
        AS is_plain;
