-- What a benchmark is made of: the latest completed job of each model, and how many there were.
CREATE OR REPLACE MACRO benchmarked_jobs(in_workspace, in_group, among_jobs, on_dataset) AS TABLE
    SELECT
        *,
        coalesce(model, name) AS "who",
        count(*) OVER (PARTITION BY dataset, coalesce(model, name)) AS jobs
    FROM jobs
    WHERE
        status = 'completed'
        AND (in_workspace IS NULL OR workspace = in_workspace)
        AND (in_group IS NULL OR "group" = in_group)
        AND (among_jobs IS NULL OR list_contains(among_jobs, job_id))
        AND (on_dataset IS NULL OR dataset = on_dataset)
    QUALIFY row_number() OVER (PARTITION BY dataset, coalesce(model, name) ORDER BY created_at DESC, job_id DESC) = 1;

-- The metric of a job with the greatest share of rows in error, by its suites.
CREATE OR REPLACE MACRO worst_metric(suites) AS
list_sort(
    flatten(list_transform(suites, lambda s: list_transform(s.metrics, lambda m: {
        'share': m.rows_error / nullif(m.total, 0),
        'metric': concat_ws('/', nullif(s.name, 'default'), m.metric, nullif(m.name, m.metric)),
        'rows_error': m.rows_error,
        'rows_total': m.total
    }))),
    'DESC', 'NULLS LAST'
)[1];
