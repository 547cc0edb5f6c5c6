-- The same, where no row failed, is repeated or belongs to a cluster, no metric scores a row twice and none declares a
-- range: most jobs are like that, and of a small one the longer text takes longer to plan than this one to run.
CREATE OR REPLACE MACRO plain_score_aggregates() AS TABLE
    -- The common tables are used by the names that are handed on.
    -- noqa: disable=ST03
    WITH suite_rows AS (
        SELECT
            job_id,
            suite,
            count(*) AS rows_total
        FROM rows
        GROUP BY job_id, suite
    ),

    score_group AS MATERIALIZED (
        SELECT
            row_number() OVER () AS group_id,
            measure.*,
            NULL AS slice,
            suite_rows.rows_total,
            0 AS clusters,
            FALSE AS is_told,
            FALSE AS is_repeated,
            NULL::DOUBLE AS value_of_error
        FROM measure
        INNER JOIN suite_rows ON measure.job_id = suite_rows.job_id AND measure.suite = suite_rows.suite
    ),

    score AS NOT MATERIALIZED (
        SELECT * FROM untold_scores('score_group')
    ),

    counted_score AS NOT MATERIALIZED (
        SELECT * FROM counted_scores('score', 'exclude')
    ),

    found AS MATERIALIZED (
        SELECT
            score_group.* EXCLUDE (group_id, minimum, maximum),
            spread.* EXCLUDE (group_id),
            spread.n AS items_scored,
            NULL::DOUBLE AS unit_squares,
            spread.n AS units
        FROM score_group
        INNER JOIN score_spread('counted_score') AS spread ON score_group.group_id = spread.group_id
    )

    SELECT * FROM aggregate_lines('found');
