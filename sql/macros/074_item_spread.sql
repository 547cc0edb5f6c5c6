-- Where items are repeated or clustered: how many rows and items are scored, and the squares of the residuals of the
-- units that are independent, for the error of the mean. Repetitions of an item are averaged first; an item whose
-- repetitions name several clusters belongs to that of the lowest repetition that names one.
CREATE OR REPLACE MACRO item_spread(counted_score) AS TABLE
    WITH per_row AS (
        SELECT
            counted.group_id,
            counted.row_key,
            counted.repetition,
            any_value(counted."cluster") AS "cluster",
            bool_or(counted.state = 'scored') AS is_scored,
            bool_or(counted.state = 'error') AS is_error,
            sum(counted."value") AS value_sum,
            count(counted."value") AS value_count
        FROM query_table(counted_score) AS counted
        WHERE counted.is_repeated
        GROUP BY counted.group_id, counted.row_key, counted.repetition
    ),

    per_item AS (
        SELECT
            group_id,
            coalesce('cluster ' || arg_min("cluster", repetition), 'item ' || row_key) AS unit,
            count(*) FILTER (WHERE is_scored) AS rows_scored,
            count(*) FILTER (WHERE is_error AND NOT is_scored) AS rows_error,
            sum(value_sum) / nullif(sum(value_count), 0) AS item_mean
        FROM per_row
        GROUP BY group_id, row_key
    ),

    coverage AS (
        SELECT
            group_id,
            sum(rows_scored)::BIGINT AS rows_scored,
            sum(rows_error)::BIGINT AS rows_error,
            count(item_mean) AS items_scored,
            avg(item_mean) AS mean_of_items
        FROM per_item
        GROUP BY group_id
    ),

    per_unit AS (
        SELECT
            item.group_id,
            sum(item.item_mean - coverage.mean_of_items) AS residual
        FROM per_item AS item
        INNER JOIN coverage ON item.group_id = coverage.group_id
        WHERE item.item_mean IS NOT NULL
        GROUP BY item.group_id, item.unit
    ),

    error_of_mean AS (
        SELECT
            group_id,
            sum(residual * residual) AS squares,
            count(*) AS units
        FROM per_unit
        GROUP BY group_id
    )

    SELECT
        coverage.*,
        error_of_mean.squares,
        error_of_mean.units
    FROM coverage
    LEFT JOIN error_of_mean ON coverage.group_id = error_of_mean.group_id;
