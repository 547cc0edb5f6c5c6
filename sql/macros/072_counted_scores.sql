-- What each score adds to the statistics of its group, under a policy for errors.
CREATE OR REPLACE MACRO counted_scores(score, errors) AS TABLE
    SELECT
        group_id,
        row_key,
        repetition,
        "cluster",
        is_repeated,
        state,
        value AS raw_value,
        is_beyond,
        state = 'scored' OR (state = 'error' AND errors <> 'exclude' AND value_of_error IS NOT NULL) AS is_counted,
        CASE
            WHEN state = 'scored' THEN value
            WHEN state = 'error' AND errors <> 'exclude' THEN value_of_error
        END AS value,
        CASE WHEN state = 'scored' THEN label END AS label,
        CASE
            WHEN state = 'scored' THEN passed
            WHEN state = 'error' AND errors <> 'exclude' AND is_judged THEN FALSE
        END AS passed
    FROM query_table(score);
