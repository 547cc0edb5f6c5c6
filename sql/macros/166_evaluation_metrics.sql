-- What there is to say of the metrics of the latest evaluation.
-- Those that scored in the baseline and do not now: without them its score is one of others.
CREATE OR REPLACE MACRO lost_metrics(last_run, counted_from) AS TABLE
    SELECT
        list_sort(
            list_filter(
                scaled_metrics(jobs.suites),
                lambda m: NOT coalesce(list_contains(scaled_metrics(latest.suites), m), FALSE)
            )
        ) AS metrics
    FROM jobs, query_table(counted_from) AS before, query_table(last_run) AS latest
    WHERE jobs.job_id = before.job_id;

-- And of which class they are: what the store declares goes before what was declared with the job.
CREATE OR REPLACE MACRO classes_of_metrics(last_run) AS TABLE
    SELECT DISTINCT ON (metric)
        metric,
        "class"
    FROM (
        SELECT
            metric.metric,
            metric."class",
            0 AS place
        FROM metric, query_table(last_run) AS latest
        WHERE metric.workspace = latest.workspace AND metric."class" IS NOT NULL
        UNION ALL
        SELECT unnested.declared.metric, unnested.declared."class", 1 AS place
        FROM query_table(last_run) AS latest, unnest(latest.metrics) AS unnested (declared)
        WHERE unnested.declared."class" IS NOT NULL
    ) AS told
    ORDER BY metric, place;
