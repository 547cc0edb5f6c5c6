-- What two jobs measured, from the catalog alone: one line per (suite, metric, name) of either, numbered, with the
-- direction (the store's declaration, else that of the newer job) and how many rows each side scored.
CREATE OR REPLACE MACRO compared_metrics(baseline, candidate) AS TABLE
    WITH side AS (
        SELECT
            a.*,
            job.workspace,
            job.metrics AS declarations,
            a.job_id = candidate AS is_candidate
        FROM aggregate_score AS a
        INNER JOIN job ON a.job_id = job.job_id
        WHERE a.job_id IN (baseline, candidate) AND NOT coalesce(a.is_told, FALSE)
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
    )

    SELECT
        row_number() OVER (ORDER BY suite, metric, name) AS number,
        suite,
        metric,
        name,
        count(*) = 2 AS in_both,
        any_value(score_type) AS score_type,
        coalesce(
            max(direction_of_store) FILTER (WHERE is_candidate), max(with_job.higher_is_better) FILTER (WHERE is_candidate),
            max(with_job.higher_is_better), TRUE
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
        max(rows_total) FILTER (WHERE NOT is_candidate) AS baseline_rows,
        max(rows_scored) FILTER (WHERE NOT is_candidate) AS baseline_scored,
        max(rows_error) FILTER (WHERE NOT is_candidate) AS baseline_errors,
        max(rows_total) FILTER (WHERE is_candidate) AS candidate_rows,
        max(rows_scored) FILTER (WHERE is_candidate) AS candidate_scored,
        max(rows_error) FILTER (WHERE is_candidate) AS candidate_errors
    FROM declared
    GROUP BY suite, metric, name;
