-- The latest completed job per model within one dataset, ranked per suite and metric, out of aggregate scores by the
-- name of their table. Models are ranked together only over the same row set: the one that most models share; the
-- others stand unranked, with comparable = false. With any_status, jobs that did not complete take part too.
CREATE OR REPLACE MACRO ranked_models(measured, any_status := FALSE) AS TABLE
    WITH latest AS (
        SELECT
            job.workspace,
            job.dataset,
            job.model,
            job.name AS job,
            job.status,
            job.created_at,
            measured.job_id,
            measured.suite,
            measured.metric,
            measured.name,
            measured.mean,
            measured.std_error,
            measured.passed,
            measured.evaluated,
            measured.rows_scored,
            measured.rows_unscored,
            measured.rows_error,
            measured.rows_total,
            coalesce(exact.higher_is_better, general.higher_is_better) AS declared_for_all,
            declared_direction(job.metrics, measured.metric, measured.name) AS declared_with_job,
            list_filter(job.suites, lambda s: s.name = measured.suite)[1].rows_digest AS rows_digest
        FROM query_table(measured) AS measured
        INNER JOIN job ON measured.job_id = job.job_id
        LEFT JOIN metric AS exact
            ON job.workspace = exact.workspace AND measured.metric = exact.metric AND measured.name = exact.name
        LEFT JOIN metric AS general
            ON job.workspace = general.workspace AND measured.metric = general.metric AND general.name IS NULL
        WHERE job.status = 'completed' OR (any_status AND job.status <> 'active')
        QUALIFY row_number() OVER (
            PARTITION BY
                job.workspace, job.dataset, coalesce(job.model, job.name), measured.suite, measured.metric,
                measured.name
            ORDER BY job.created_at DESC, job.job_id DESC
        ) = 1
    ),

    shared AS (
        SELECT
            *,
            count(*) OVER (PARTITION BY workspace, dataset, suite, metric, name, rows_digest) AS models_on_these_rows,
            max(created_at)
                OVER (PARTITION BY workspace, dataset, suite, metric, name, rows_digest)
                AS newest_on_these_rows,
            -- One direction for a whole ranking: that of the store, else that of the newest job that declares one.
            coalesce(
                declared_for_all,
                first_value(declared_with_job IGNORE NULLS) OVER (
                    PARTITION BY workspace, dataset, suite, metric, name
                    ORDER BY created_at DESC, job_id DESC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                ),
                TRUE
            ) AS higher_is_better
        FROM latest
    ),

    compared AS (
        SELECT
            *,
            rows_digest = first_value(rows_digest) OVER (
                PARTITION BY workspace, dataset, suite, metric, name
                ORDER BY models_on_these_rows DESC, newest_on_these_rows DESC, rows_digest ASC
            ) AS comparable
        FROM shared
    )

    SELECT
        workspace,
        dataset,
        suite,
        metric,
        name,
        CASE WHEN comparable AND mean IS NOT NULL THEN rank() OVER (
            PARTITION BY workspace, dataset, suite, metric, name, comparable AND mean IS NOT NULL
            ORDER BY CASE WHEN higher_is_better THEN -mean ELSE mean END ASC
        ) END AS rank,
        model,
        job,
        mean,
        std_error,
        passed,
        evaluated,
        rows_scored,
        rows_unscored,
        rows_error,
        rows_total,
        comparable,
        higher_is_better,
        status,
        created_at,
        job_id
    FROM compared
    ORDER BY workspace, dataset, suite, metric, name, rank NULLS LAST, model, job;
