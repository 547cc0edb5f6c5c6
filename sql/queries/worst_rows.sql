-- The rows of one job that speak most against some of its metrics: the lowest, the highest, or those in error.
-- The mean of their repetitions counts; so many of each metric at most.
WITH wanted AS (
    SELECT unnest(
        $wanted::STRUCT(suite VARCHAR, metric VARCHAR, name VARCHAR, kind VARCHAR)[], max_depth := 2
    )
),

spoken AS (
    SELECT
        wanted.suite,
        wanted.metric,
        wanted.name,
        wanted.kind,
        score.row_key,
        avg(score.value) AS value,
        min(score.row_index) AS row_index
    FROM wanted
    INNER JOIN row_scores AS score
        ON wanted.suite = score.suite AND wanted.metric = score.metric AND wanted.name = score.name
    WHERE
        score.job_id = $job_id
        AND CASE
            WHEN wanted.kind = 'in error' THEN score.status = 'error'
            ELSE score.status = 'scored' AND score.value IS NOT NULL
        END
    GROUP BY wanted.suite, wanted.metric, wanted.name, wanted.kind, score.row_key
    UNION
    SELECT
        wanted.suite,
        wanted.metric,
        wanted.name,
        wanted.kind,
        failed.row_key,
        NULL AS value,
        min(failed.row_index) AS row_index
    FROM wanted
    INNER JOIN rows AS failed ON wanted.suite = failed.suite
    WHERE failed.job_id = $job_id AND wanted.kind = 'in error' AND failed.error IS NOT NULL
    GROUP BY wanted.suite, wanted.metric, wanted.name, wanted.kind, failed.row_key
)

SELECT
    suite,
    metric,
    name,
    kind AS flip,
    row_key,
    NULL::DOUBLE AS baseline_value,
    value AS candidate_value
FROM spoken
QUALIFY
    row_number() OVER (
        PARTITION BY suite, metric, name, kind
        ORDER BY CASE WHEN kind = 'highest' THEN -value ELSE value END, row_index, row_key
    ) <= $limit
ORDER BY
    suite ASC, metric ASC, name ASC, kind ASC,
    CASE WHEN kind = 'highest' THEN -value ELSE value END ASC, row_index ASC, row_key ASC;
