-- What a score is in a comparison: its metric by number, its value and whether it is right where it is scored, and a
-- state: 2 scored, 1 in error, 0 neither.
CREATE OR REPLACE MACRO compared_scores_of(compared_metric, jobs) AS TABLE
    SELECT
        place.number,
        s.job_id,
        s.row_key,
        s.repetition,
        s.score_index,
        s.row_index,
        CASE s.status WHEN 'scored' THEN 2 WHEN 'error' THEN 1 ELSE 0 END::TINYINT AS state,
        s.status = 'scored' AND s.value_type = 'bool' AS is_boolean,
        FALSE AS is_failed,
        CASE WHEN s.status = 'scored' THEN s.value END AS value,
        CASE
            WHEN s.status = 'scored'
                THEN CASE WHEN s.value_type = 'bool' THEN (s.value = 1) = place.higher_is_better ELSE s.passed END
        END AS is_right
    FROM row_scores AS s
    INNER JOIN query_table(compared_metric) AS place
        ON s.suite = place.suite AND s.metric = place.metric AND s.name = place.name
    WHERE list_contains(jobs, s.job_id);

-- The rows that failed, as a score in error of each metric of their suite.
CREATE OR REPLACE MACRO compared_failures_of(compared_metric, jobs) AS TABLE
    SELECT
        place.number,
        r.job_id,
        r.row_key,
        r.repetition,
        0 AS score_index,
        r.row_index,
        1::TINYINT AS state,
        FALSE AS is_boolean,
        TRUE AS is_failed,
        NULL::DOUBLE AS value,
        NULL::BOOLEAN AS is_right
    FROM rows AS r
    INNER JOIN query_table(compared_metric) AS place ON r.suite = place.suite
    WHERE list_contains(jobs, r.job_id) AND r.error IS NOT NULL;

-- All of that of both sides.
CREATE OR REPLACE MACRO compared_scores(compared_metric, baselines, candidate) AS TABLE
    SELECT *, FALSE AS is_candidate FROM compared_scores_of(compared_metric, baselines)
    UNION ALL
    SELECT *, FALSE AS is_candidate FROM compared_failures_of(compared_metric, baselines)
    UNION ALL
    SELECT *, TRUE AS is_candidate FROM compared_scores_of(compared_metric, [candidate])
    UNION ALL
    SELECT *, TRUE AS is_candidate FROM compared_failures_of(compared_metric, [candidate]);
