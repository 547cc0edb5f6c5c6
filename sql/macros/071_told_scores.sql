-- The scores of suites with rows that tell something, with what those rows tell; and those rows where they lack a
-- score.
CREATE OR REPLACE MACRO told_scores(sliced_row, score_group) AS TABLE
    WITH told_suite AS (
        SELECT DISTINCT
            job_id,
            suite
        FROM query_table(score_group)
        WHERE is_told
    ),

    told_score AS (
        SELECT s.*
        FROM row_scores AS s
        SEMI JOIN told_suite ON s.job_id = told_suite.job_id AND s.suite = told_suite.suite
    ),

    telling_row AS (
        SELECT
            sliced.*,
            measure.metric,
            measure.name
        FROM query_table(sliced_row) AS sliced
        INNER JOIN measure ON sliced.job_id = measure.job_id AND sliced.suite = measure.suite
        WHERE sliced.telling_key IS NOT NULL
    )

    SELECT
        place.group_id,
        coalesce(s.row_key, r.telling_key) AS row_key,
        coalesce(s.repetition, r.repetition) AS repetition,
        r."cluster",
        place.is_repeated,
        place.value_of_error,
        place.is_judged OR place.threshold IS NOT NULL AS is_judged,
        outcome_state(s.status, s.value, place.score_type, r.is_failed) AS state,
        is_out_of_range(s.value, s.label, place.minimum, place.maximum, place.step_labels, place.step_values)
            AS is_beyond,
        s.value,
        s.label,
        s.passed
    FROM told_score AS s
    FULL JOIN telling_row AS r
        ON
            s.job_id = r.job_id
            AND s.suite = r.suite
            AND s.metric = r.metric
            AND s.name = r.name
            AND s.row_key = r.telling_key
            AND s.repetition = r.repetition
    INNER JOIN query_table(score_group) AS place
        ON
            coalesce(s.job_id, r.job_id) = place.job_id
            AND coalesce(s.suite, r.suite) = place.suite
            AND coalesce(s.metric, r.metric) = place.metric
            AND coalesce(s.name, r.name) = place.name
            AND r.slice IS NOT DISTINCT FROM place.slice;

-- The scores of the other suites.
CREATE OR REPLACE MACRO untold_scores(score_group) AS TABLE
    SELECT
        place.group_id,
        s.row_key,
        s.repetition,
        NULL AS "cluster",
        place.is_repeated,
        place.value_of_error,
        place.is_judged OR place.threshold IS NOT NULL AS is_judged,
        outcome_state(s.status, s.value, place.score_type, FALSE) AS state,
        FALSE AS is_beyond,
        s.value,
        s.label,
        s.passed
    FROM row_scores AS s
    INNER JOIN query_table(score_group) AS place
        ON s.job_id = place.job_id AND s.suite = place.suite AND s.metric = place.metric AND s.name = place.name
    WHERE NOT place.is_told;

-- Of those only the ones with a declaration are compared with it: to carry its lists along with each score takes
-- longer than all else.
CREATE OR REPLACE MACRO untold_out_of_range(score_group) AS TABLE
    SELECT
        place.group_id,
        count(*) FILTER (WHERE is_out_of_range(
            s.value, s.label, place.minimum, place.maximum, place.step_labels, place.step_values
        )) AS out_of_range
    FROM row_scores AS s
    INNER JOIN query_table(score_group) AS place
        ON s.job_id = place.job_id AND s.suite = place.suite AND s.metric = place.metric AND s.name = place.name
    WHERE
        NOT place.is_told
        AND (place.minimum IS NOT NULL OR place.maximum IS NOT NULL OR place.rubric IS NOT NULL)
    GROUP BY place.group_id;
