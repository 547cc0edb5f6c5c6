-- The jobs with their scores and the segment that holds them, in the order in which they were created: neighbours in
-- time are asked for together.
SELECT
    job.job_id,
    score_file.scores AS path,
    score_file.scores_count,
    segment_job.segment_id
FROM job
INNER JOIN score_file ON job.job_id = score_file.job_id
LEFT JOIN segment_job ON job.job_id = segment_job.job_id
ORDER BY job.created_at, job.job_id;
