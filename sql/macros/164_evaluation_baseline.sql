-- What the score of the latest evaluation is counted from, and the job that has it, where it is one: the run before it
-- (previous), the first day of the window (first_in_window), the mean over its days (window_mean), or a job.
CREATE OR REPLACE MACRO evaluation_baseline(of_series, of_days, last_run, counted_from, counted_from_job) AS TABLE
    WITH previous AS (
        SELECT
            arg_max(series.overall_score, (series.created_at, series.job_id)) AS score,
            arg_max(series.job_id, (series.created_at, series.job_id)) AS job_id
        FROM query_table(of_series) AS series, query_table(last_run) AS latest
        WHERE series.job_id <> latest.job_id
    ),

    in_window AS (
        SELECT
            arg_min(day.score, day.date) AS first_score,
            arg_min(day.job_id, day.date) AS first_job_id,
            avg(day.score) AS mean_score
        FROM query_table(of_days) AS day, query_table(last_run) AS latest
        WHERE day.job_id <> latest.job_id
    ),

    given AS (
        SELECT any_value(overall_score) AS score FROM jobs
        WHERE job_id = counted_from_job
    )

    SELECT
        CASE counted_from
            WHEN 'previous' THEN previous.score
            WHEN 'first_in_window' THEN in_window.first_score
            WHEN 'window_mean' THEN in_window.mean_score
            WHEN 'job' THEN given.score
        END AS score,
        CASE counted_from
            WHEN 'previous' THEN previous.job_id
            WHEN 'first_in_window' THEN in_window.first_job_id
            WHEN 'job' THEN counted_from_job
        END AS job_id
    FROM previous, in_window, given;
