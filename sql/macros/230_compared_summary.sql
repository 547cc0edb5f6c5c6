-- What statistics need of the rows of both sides, by metric, slice and cluster; null is the cluster of those in none.
CREATE OR REPLACE MACRO compared_clusters(compared_pair) AS TABLE
    SELECT
        number,
        slice,
        "cluster",
        count(difference) AS n,
        avg(difference) AS mean,
        -- Squares beyond a double stop DuckDB 1.5, and are infinite to DuckDB 2.
        CASE
            WHEN
                max(greatest(baseline_value, candidate_value)) > 1e140
                OR min(least(baseline_value, candidate_value)) < -1e140
                THEN 'inf'::DOUBLE
            ELSE var_pop(CASE WHEN abs(difference) < 1e141 THEN difference END)
        END AS variance,
        -- How large the values are that differ, by which rounding is told from differences.
        least(
            avg(greatest(abs(baseline_value), abs(candidate_value))) FILTER (WHERE difference <> 0), 1e140
        ) AS size,
        avg(baseline_value) FILTER (WHERE difference IS NOT NULL) AS baseline_mean,
        avg(candidate_value) FILTER (WHERE difference IS NOT NULL) AS candidate_mean,
        count(*) FILTER (WHERE difference > 0) AS up,
        count(*) FILTER (WHERE difference < 0) AS down,
        count(*) FILTER (WHERE flip = 1) AS improved,
        count(*) FILTER (WHERE flip = 2) AS regressed,
        count(*) FILTER (WHERE flip = 5) AS both_right,
        count(*) FILTER (WHERE flip = 6) AS both_wrong,
        count(*) FILTER (WHERE flip = 7) AS unchanged,
        count(*) FILTER (WHERE flip = 3) AS newly_in_error,
        count(*) FILTER (WHERE flip = 4) AS recovered,
        count(*) FILTER (WHERE flip = 8) AS both_in_error,
        count(*) FILTER (WHERE in_error) AS in_error,
        count(*) FILTER (
            WHERE baseline_value IS NOT NULL AND candidate_value IS NULL AND NOT candidate_in_error
        ) AS unscored,  -- by the candidate alone: because it holds no score of the row, or not the row
        count(*) FILTER (
            WHERE candidate_value IS NOT NULL AND baseline_value IS NULL AND NOT baseline_in_error
        ) AS scored_anew,
        coalesce(bool_and(baseline_value IN (0, 1) AND candidate_value IN (0, 1)), FALSE) AS is_pass_fail,
        min(least(baseline_value, candidate_value)) AS lowest,
        max(greatest(baseline_value, candidate_value)) AS highest,
        max(last_repetition) > 0 AS is_repeated
    FROM query_table(compared_pair)
    GROUP BY number, slice, "cluster";

-- The same by metric and slice: means of the pairs, the deviation of the differences, and the squares of the residuals
-- of the units that are independent: clusters, and rows that are in none. What is no more than the rounding of all the
-- values that differ is 0.
CREATE OR REPLACE MACRO compared_summary(compared_cluster) AS TABLE
    WITH sized AS (
        SELECT
            *,
            1e-12 * coalesce(size, 0) AS rounding,
            up + down AS differing
        FROM query_table(compared_cluster)
    ),

    centred AS (
        SELECT
            *,
            CASE
                WHEN abs(sum(n * mean) OVER measured) <= sum(rounding * differing) OVER measured THEN 0.0
                ELSE sum(n * mean) OVER measured
            END / nullif(sum(n) OVER measured, 0) AS centre,
            n * (variance + (mean - centre) * (mean - centre)) AS row_squares,
            rounding * rounding * differing AS row_rounding
        FROM sized
        WINDOW measured AS (PARTITION BY number, slice)
    ),

    in_units AS (
        SELECT
            *,
            CASE WHEN "cluster" IS NULL THEN row_squares ELSE n * n * (mean - centre) * (mean - centre) END
                AS unit_squares,
            CASE WHEN "cluster" IS NULL THEN row_rounding ELSE row_rounding * differing END AS unit_rounding
        FROM centred
    )

    SELECT
        number,
        slice,
        sum(n)::BIGINT AS n,
        sum(n * baseline_mean) / nullif(sum(n), 0) AS baseline_mean,
        sum(n * candidate_mean) / nullif(sum(n), 0) AS candidate_mean,
        any_value(centre) AS difference,
        sqrt(
            CASE WHEN sum(row_squares) <= sum(row_rounding) THEN 0.0 ELSE sum(row_squares) END / nullif(sum(n) - 1, 0)
        ) AS std_dev,
        CASE WHEN sum(unit_squares) <= sum(unit_rounding) THEN 0.0 ELSE sum(unit_squares) END AS unit_squares,
        sum(CASE WHEN "cluster" IS NULL THEN n ELSE (n > 0)::INTEGER END)::BIGINT AS units,
        nullif(count(*) FILTER (WHERE "cluster" IS NOT NULL AND n > 0), 0) AS clusters,
        coalesce(sum(n) FILTER (WHERE "cluster" IS NULL), 0)::BIGINT AS unclustered,
        sum(up)::BIGINT AS up,
        sum(down)::BIGINT AS down,
        sum(improved)::BIGINT AS improved,
        sum(regressed)::BIGINT AS regressed,
        sum(both_right)::BIGINT AS both_right,
        sum(both_wrong)::BIGINT AS both_wrong,
        sum(unchanged)::BIGINT AS unchanged,
        sum(newly_in_error)::BIGINT AS newly_in_error,
        sum(recovered)::BIGINT AS recovered,
        sum(both_in_error)::BIGINT AS both_in_error,
        sum(in_error)::BIGINT AS in_error,
        sum(unscored)::BIGINT AS unscored,
        sum(scored_anew)::BIGINT AS scored_anew,
        bool_and(is_pass_fail) AS is_pass_fail,
        min(lowest) AS lowest,
        max(highest) AS highest,
        bool_or(is_repeated) AS is_repeated
    FROM in_units
    GROUP BY number, slice;
