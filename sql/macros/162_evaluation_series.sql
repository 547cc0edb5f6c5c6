-- What an evaluation summary sums up: completed evaluations, the latest of them, and those that it can be compared
-- with, which are the scored ones of its series (dataset, model, group). Dates are those of UTC, as sessions are.
CREATE OR REPLACE MACRO completed_evaluations(
    in_workspace, among_jobs, on_dataset, of_model, in_group
) AS TABLE
    SELECT
        *,
        created_at::DATE AS date
    FROM jobs
    WHERE
        (in_workspace IS NULL OR workspace = in_workspace)
        AND kind = 'evaluation'
        AND status = 'completed'
        AND total_suites > 0
        AND (among_jobs IS NULL OR list_contains(among_jobs, job_id))
        AND (on_dataset IS NULL OR dataset = on_dataset)
        AND (of_model IS NULL OR model = of_model)
        AND (in_group IS NULL OR "group" = in_group);

CREATE OR REPLACE MACRO latest_evaluation(runs) AS TABLE
    SELECT * FROM query_table(runs)
    ORDER BY created_at DESC, job_id DESC
    LIMIT 1;

CREATE OR REPLACE MACRO evaluation_series(runs, last_run) AS TABLE
    SELECT run.*
    FROM query_table(runs) AS run
    INNER JOIN query_table(last_run) AS latest
        ON
            run.workspace = latest.workspace
            AND run.dataset IS NOT DISTINCT FROM latest.dataset
            AND run.model IS NOT DISTINCT FROM latest.model
            AND run."group" IS NOT DISTINCT FROM latest."group"
    WHERE run.overall_score IS NOT NULL;

-- Its days up to that of the latest run: the score of a day is that of its last run, a day without one is absent.
-- Rows are events, also those of which only counts were told.
CREATE OR REPLACE MACRO evaluation_days(of_series, last_run, most_days) AS TABLE
    SELECT
        series.date,
        arg_max(series.overall_score, (series.created_at, series.job_id)) AS score,
        arg_max(series.job_id, (series.created_at, series.job_id)) AS job_id,
        count(*) AS runs,
        sum(coalesce(series.total_events, series.rows_total))::BIGINT AS rows_total
    FROM query_table(of_series) AS series, query_table(last_run) AS latest
    WHERE series.date > latest.date - most_days
    GROUP BY series.date;
