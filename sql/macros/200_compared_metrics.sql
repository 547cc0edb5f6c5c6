-- What two sides measured, from the catalog alone: one line per (suite, metric, name) of either, numbered, with the
-- direction (the store's declaration, else that of the candidate) and how many rows each side scored. The baseline is
-- one job or several, named by their ids, the candidate one. What was told by counts, without all of its rows, has
-- lines of its own, and is never in both. A side that holds the suite, but no score of it at all (its rows failed), has
-- the metrics of the other side, of which it scored no row.
CREATE OR REPLACE MACRO compared_metrics(baselines, candidate) AS TABLE
    WITH bare_suite AS (
        SELECT
            suite.name AS suite,
            max(suite.events_processed) FILTER (WHERE job.job_id = candidate) AS candidate_rows,
            sum(suite.events_processed) FILTER (WHERE job.job_id <> candidate)::BIGINT AS baseline_rows
        FROM job, unnest(job.suites) AS unnested (suite)
        WHERE
            (job.job_id = candidate OR list_contains(baselines, job.job_id))
            AND suite.events_processed > 0
            AND len(coalesce(suite.metrics, [])) = 0
        GROUP BY suite.name
    ),

    side AS (
        SELECT
            a.* EXCLUDE (is_told),
            coalesce(a.is_told, FALSE) AS is_told,
            job.workspace,
            job.metrics AS declarations,
            a.job_id = candidate AS is_candidate
        FROM aggregate_score AS a
        INNER JOIN job ON a.job_id = job.job_id
        WHERE a.job_id = candidate OR list_contains(baselines, a.job_id)
    ),

    declared AS (
        SELECT
            side.*,
            coalesce(
                list_filter(side.declarations, lambda d: d.metric = side.metric AND d.name = side.name)[1],
                list_filter(side.declarations, lambda d: d.metric = side.metric AND d.name IS NULL)[1]
            ) AS with_job,
            coalesce(exact.higher_is_better, general.higher_is_better) AS direction_of_store,
            coalesce(exact."class", general."class") AS class_of_store
        FROM side
        LEFT JOIN metric AS exact
            ON side.workspace = exact.workspace AND side.metric = exact.metric AND side.name = exact.name
        LEFT JOIN metric AS general
            ON side.workspace = general.workspace AND side.metric = general.metric AND general.name IS NULL
    ),

    found_metric AS (
        SELECT
            suite,
            metric,
            name,
            is_told,
            NOT bool_and(is_candidate) AS in_baseline,
            bool_or(is_candidate) AS in_candidate,
            any_value(score_type) AS score_type,
            coalesce(
                max(direction_of_store) FILTER (WHERE is_candidate),
                max(with_job.higher_is_better) FILTER (WHERE is_candidate),
                max(with_job.higher_is_better),
                TRUE
            ) AS higher_is_better,
            coalesce(max(class_of_store), max(with_job."class")) AS "class",
            min(with_job.minimum) AS minimum,
            max(with_job.maximum) AS maximum,
            min(minimum) AS lowest,
            max(maximum) AS highest,
            any_value(with_job.rubric) AS rubric,
            count(DISTINCT with_job.higher_is_better) > 1 AS directions_differ,
            max(coalesce(clusters, 0)) FILTER (WHERE NOT is_candidate) AS baseline_clusters,
            max(coalesce(clusters, 0)) FILTER (WHERE is_candidate) AS candidate_clusters,
            sum(rows_total) FILTER (WHERE NOT is_candidate)::BIGINT AS baseline_rows,
            sum(rows_scored) FILTER (WHERE NOT is_candidate)::BIGINT AS baseline_scored,
            sum(rows_error) FILTER (WHERE NOT is_candidate)::BIGINT AS baseline_errors,
            max(rows_total) FILTER (WHERE is_candidate) AS candidate_rows,
            max(rows_scored) FILTER (WHERE is_candidate) AS candidate_scored,
            max(rows_error) FILTER (WHERE is_candidate) AS candidate_errors
        FROM declared
        GROUP BY suite, metric, name, is_told
    ),

    measured AS (
        SELECT
            row_number() OVER (ORDER BY found.is_told, found.suite, found.metric, found.name) AS number,
            found.* REPLACE (
                CASE WHEN found.in_baseline THEN found.baseline_rows ELSE bare.baseline_rows END AS baseline_rows,
                CASE WHEN found.in_candidate THEN found.candidate_rows ELSE bare.candidate_rows END AS candidate_rows
            ),
            NOT found.is_told
            AND (found.in_baseline OR bare.baseline_rows IS NOT NULL)
            AND (found.in_candidate OR bare.candidate_rows IS NOT NULL) AS in_both
        FROM found_metric AS found
        LEFT JOIN bare_suite AS bare ON found.suite = bare.suite
    )

    -- By way of one list, so that DuckDB expects few metrics and many scores: it looks up the smaller side of a join.
    SELECT unnest(listed, max_depth := 2)
    FROM (SELECT list(measured) AS listed FROM measured) AS lists;
