-- The leaderboard with rows in error left out of the means, counted as zero or as the worst value.
CREATE OR REPLACE MACRO leaderboard_by(errors := 'exclude', any_status := FALSE) AS TABLE
    -- The common table is used by the name that is handed on.
    -- noqa: disable=ST03
    WITH measured AS (
        SELECT * FROM aggregates_under(errors := errors)
    )

    SELECT * FROM ranked_models('measured', any_status := any_status);
