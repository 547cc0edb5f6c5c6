-- Every score of two jobs by the number of its metric, and every row that failed, once for each metric of its suite.
CREATE OR REPLACE MACRO compared_scores(compared_metric, baseline, candidate) AS TABLE
    SELECT
        place.number,
        s.row_key,
        s.repetition,
        s.score_index,
        s.row_index,
        s.job_id = candidate AS is_candidate,
        s.status = 'scored' AS is_scored,
        s.status = 'error' AS is_error,
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
    WHERE s.job_id IN (baseline, candidate)
    UNION ALL
    SELECT
        place.number,
        r.row_key,
        r.repetition,
        0 AS score_index,
        r.row_index,
        r.job_id = candidate AS is_candidate,
        FALSE AS is_scored,
        FALSE AS is_error,
        FALSE AS is_boolean,
        TRUE AS is_failed,
        NULL AS value,
        NULL AS is_right
    FROM rows AS r
    INNER JOIN query_table(compared_metric) AS place ON r.suite = place.suite
    WHERE r.job_id IN (baseline, candidate) AND r.error IS NOT NULL;
