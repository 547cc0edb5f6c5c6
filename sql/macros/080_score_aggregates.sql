-- The statistics of every (job, suite, metric, name, slice), lean as the table aggregate_score holds them: one text
-- for the commit of a job, for slices and for other error policies. Every row of a suite counts in every metric that
-- was measured there, so that nothing drops out of a total unseen.
CREATE OR REPLACE MACRO score_aggregates(
    errors := 'exclude', slice_source := NULL, slice_path := NULL, cluster_source := NULL, cluster_path := NULL
) AS TABLE
    -- The common tables are used by the names that are handed on.
    -- noqa: disable=ST03
    WITH sliced_row AS MATERIALIZED (
        SELECT * FROM sliced_rows(slice_source, slice_path, cluster_source, cluster_path)
    ),

    score_group AS MATERIALIZED (
        SELECT * FROM score_groups('sliced_row', errors)
    ),

    told AS MATERIALIZED (
        SELECT * FROM told_scores('sliced_row', 'score_group')
    ),

    score AS NOT MATERIALIZED (
        SELECT * FROM told
        UNION ALL
        SELECT * FROM untold_scores('score_group')
    ),

    counted_score AS NOT MATERIALIZED (
        SELECT * FROM counted_scores('score', errors)
    ),

    -- Set down, since what is made from a whole list would be made again for each place that names it.
    found AS MATERIALIZED (
        SELECT
            score_group.* EXCLUDE (group_id, minimum, maximum),
            spread.* EXCLUDE (group_id, rows_scored, rows_error, "count", out_of_range),
            coalesce(spread.out_of_range, 0) + coalesce(beyond.out_of_range, 0) AS out_of_range,
            coalesce(spread."count", 0) AS "count",
            coalesce(item.rows_scored, spread.rows_scored, 0) AS rows_scored,
            coalesce(item.rows_error, spread.rows_error, 0) AS rows_error,
            coalesce(item.items_scored, spread.n, 0) AS items_scored,
            item.squares AS unit_squares,
            CASE WHEN score_group.is_repeated THEN item.units ELSE spread.n END AS units
        FROM score_group
        LEFT JOIN score_spread('counted_score') AS spread ON score_group.group_id = spread.group_id
        LEFT JOIN untold_out_of_range('score_group') AS beyond ON score_group.group_id = beyond.group_id
        LEFT JOIN item_spread('counted_score') AS item ON score_group.group_id = item.group_id
    )

    SELECT * FROM aggregate_lines('found');
