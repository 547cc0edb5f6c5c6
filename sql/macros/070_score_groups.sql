-- What statistics are made of: every (job, suite, metric, name, slice). Macros that are given a relation by its name
-- read a common table of the query that calls them.
-- Every row, with its slice and its cluster, which a field of rows may stand for. Only a row that tells something about
-- its scores is looked up for each of them: one that failed, or belongs to a slice or cluster; the others are counted.
CREATE OR REPLACE MACRO sliced_rows(slice_source, slice_path, cluster_source, cluster_path) AS TABLE
    SELECT
        r.job_id,
        r.suite,
        row_field(
            slice_source, slice_path, r.suite, r.row_key, r.repetition, r."cluster", r.tags, r.error, r.latency,
            r.cost, r.total_tokens, r.item, r.sample, r.reference, r.metadata
        ) AS slice,
        r.repetition,
        row_field(
            coalesce(cluster_source, 'cluster'), cluster_path, r.suite, r.row_key, r.repetition, r."cluster", r.tags,
            r.error, r.latency, r.cost, r.total_tokens, r.item, r.sample, r.reference, r.metadata
        ) AS "cluster",
        r.error IS NOT NULL AS is_failed,
        CASE
            WHEN
                slice_source IS NOT NULL OR cluster_source IS NOT NULL OR r.error IS NOT NULL
                OR r."cluster" IS NOT NULL
                THEN r.row_key
        END AS telling_key
    FROM rows AS r;

-- The groups, numbered, with how many rows they stand for and what an error is worth in them.
CREATE OR REPLACE MACRO score_groups(sliced_row, errors) AS TABLE
    WITH slice_rows AS (
        SELECT
            job_id,
            suite,
            slice,
            count(*) AS rows_total,
            count(DISTINCT "cluster") AS clusters,
            max(repetition) AS last_repetition,
            count(telling_key) > 0 AS is_told
        FROM query_table(sliced_row)
        GROUP BY job_id, suite, slice
    ),

    last_score AS (
        SELECT
            job_id,
            suite,
            metric,
            name,
            max(score_index) AS last_index
        FROM row_scores
        GROUP BY job_id, suite, metric, name
    ),

    found_group AS (
        SELECT
            row_number() OVER () AS group_id,
            measure.*,
            slice_rows.* EXCLUDE (job_id, suite),
            -- Elsewhere every score is a row and every row an item of its own, and the spread says it all.
            slice_rows.last_repetition > 0 OR slice_rows.clusters > 0 OR last_score.last_index > 0 AS is_repeated,
            value_of_error(
                errors, measure.score_type, measure.rubric, measure.is_boolean, measure.higher_is_better,
                measure.minimum, measure.maximum, measure.lowest, measure.highest
            ) AS value_of_error,
            list_transform(measure.rubric, lambda s: s.label) AS step_labels,
            list_transform(measure.rubric, lambda s: s.value) AS step_values
        FROM measure
        INNER JOIN slice_rows ON measure.job_id = slice_rows.job_id AND measure.suite = slice_rows.suite
        INNER JOIN last_score
            ON
                measure.job_id = last_score.job_id
                AND measure.suite = last_score.suite
                AND measure.metric = last_score.metric
                AND measure.name = last_score.name
    )

    -- By way of one list, so that DuckDB expects few groups and many scores: it looks up the smaller side of a join.
    SELECT unnest(groups, max_depth := 2)
    FROM (SELECT list(found_group) AS groups FROM found_group) AS listed;
