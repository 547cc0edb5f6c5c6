-- The points of series in their order, each with the one before it, and mean and spread over the last points and over
-- the last UTC days, its own among them. With per := 'day' the last complete run of a day is its point; days without
-- one are absent. `points` names a relation with the columns workspace, dataset, model, group, suite, metric and name,
-- which make a series (column by column, so that DuckDB narrows the points before it looks through windows), value,
-- status, created_at, job_id and rows_digest.
CREATE OR REPLACE MACRO trend_of(points, last_points := 5, last_days := 7, per := 'run') AS TABLE
    WITH dated AS (
        SELECT
            *,
            make_timestamp(epoch_us(created_at))::DATE AS "day"
        FROM query_table(points)
    ),

    counted AS (
        SELECT
            *,
            count(*) OVER (PARTITION BY workspace, dataset, model, "group", suite, metric, name, "day") AS runs_that_day
        FROM dated
        QUALIFY
            per <> 'day'
            OR row_number() OVER (
                PARTITION BY workspace, dataset, model, "group", suite, metric, name, "day"
                ORDER BY status = 'completed' DESC, created_at DESC, job_id DESC
            ) = 1
    ),

    placed AS (
        SELECT
            *,
            row_number()
                OVER (PARTITION BY workspace, dataset, model, "group", suite, metric, name ORDER BY created_at, job_id)
                AS "position",
            last_points - 1 AS points_back,
            to_days(last_days - 1) AS days_back
        FROM counted
    ),

    reaching AS (
        SELECT
            *,
            "position" - min("position") OVER (
                PARTITION BY workspace, dataset, model, "group", suite, metric, name
                ORDER BY "day" RANGE BETWEEN days_back PRECEDING AND CURRENT ROW
            ) AS points_of_days
        FROM placed
    )

    SELECT
        * EXCLUDE (points_back, days_back, points_of_days),
        lag("value") OVER in_order AS previous,
        "value" - lag("value") OVER in_order AS delta,
        rows_digest <> lag(rows_digest) OVER in_order AS rows_changed,
        avg("value") OVER last_of_them AS moving_mean,
        stddev_samp("value") OVER last_of_them AS moving_std_dev,
        count("value") OVER last_of_them AS moving_count,
        avg("value") OVER of_late AS days_mean,
        stddev_samp("value") OVER of_late AS days_std_dev,
        count("value") OVER of_late AS days_count
    FROM reaching
    WINDOW
        in_order AS (PARTITION BY workspace, dataset, model, "group", suite, metric, name ORDER BY "position"),
        last_of_them AS (
            PARTITION BY workspace, dataset, model, "group", suite, metric, name
            ORDER BY "position" ROWS BETWEEN points_back PRECEDING AND CURRENT ROW
        ),
        of_late AS (
            PARTITION BY workspace, dataset, model, "group", suite, metric, name
            ORDER BY "position" ROWS BETWEEN points_of_days PRECEDING AND CURRENT ROW
        );
