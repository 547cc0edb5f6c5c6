-- The rows of one job that meet all conditions, the worst or best first where asked, rows in error before them.
WITH condition AS (
    SELECT
        row_number() OVER () AS number,
        c
    FROM unnest(
        $conditions::STRUCT(
            source VARCHAR, path VARCHAR, metric VARCHAR, name VARCHAR, op VARCHAR, "text" VARCHAR, number DOUBLE
        )[]
    ) AS given (c)
),

field AS (
    SELECT
        condition.number,
        condition.c,
        r.suite,
        r.row_key,
        r.repetition,
        NULL::DOUBLE AS actual_number,
        row_field(
            condition.c.source, condition.c.path, r.suite, r.row_key, r.repetition, r."cluster", r.tags, r.error,
            r.latency, r.cost, r.total_tokens, r.item, r.sample, r.reference, r.metadata
        ) AS actual_text
    FROM rows AS r, condition
    WHERE r.job_id = $job_id AND condition.c.source <> 'score'
    UNION ALL
    SELECT
        condition.number,
        condition.c,
        r.suite,
        r.row_key,
        r.repetition,
        score.value AS actual_number,
        CASE
            WHEN condition.c.op IN ('<', '<=', '>', '>=') THEN score.label  -- a number has no place among texts
            ELSE coalesce(score.label, score.value::VARCHAR)
        END AS actual_text
    FROM rows AS r
    INNER JOIN condition ON condition.c.source = 'score'
    LEFT JOIN row_scores AS score
        ON
            r.job_id = score.job_id
            AND r.suite = score.suite
            AND r.row_key = score.row_key
            AND r.repetition = score.repetition
            AND condition.c.metric = score.metric
            AND (condition.c.name IS NULL OR condition.c.name = score.name)
    WHERE r.job_id = $job_id
),

met AS (
    SELECT
        suite,
        row_key,
        repetition
    FROM field
    WHERE matches(c.op, actual_text, coalesce(actual_number, try_cast(actual_text AS DOUBLE)), c."text", c.number)
    GROUP BY suite, row_key, repetition
    HAVING count(DISTINCT number) = (SELECT count(*) FROM condition)
),

quality AS (
    SELECT
        suite,
        row_key,
        repetition,
        avg(quality) AS quality
    FROM row_qualities
    WHERE job_id = $job_id AND $order::VARCHAR IS NOT NULL AND ($metric::VARCHAR IS NULL OR metric = $metric)
    GROUP BY suite, row_key, repetition
),

failed AS (
    SELECT DISTINCT
        suite,
        row_key,
        repetition
    FROM row_scores
    WHERE job_id = $job_id AND status = 'error' AND ($metric::VARCHAR IS NULL OR metric = $metric)
),

ranked AS (
    SELECT
        r.* REPLACE (  -- what is not asked for is not read: requests are most of a file
            CASE WHEN list_contains($columns::VARCHAR[], 'item') THEN r.item END AS item,
            CASE WHEN list_contains($columns::VARCHAR[], 'sample') THEN r.sample END AS sample,
            CASE WHEN list_contains($columns::VARCHAR[], 'reference') THEN r.reference END AS reference,
            CASE WHEN list_contains($columns::VARCHAR[], 'metadata') THEN r.metadata END AS metadata,
            CASE WHEN list_contains($columns::VARCHAR[], 'requests') THEN r.requests END AS requests
        ),
        quality.quality,
        r.error IS NOT NULL OR failed.row_key IS NOT NULL AS is_error,
        CASE WHEN $order::VARCHAR IS NOT NULL THEN r.error IS NOT NULL OR failed.row_key IS NOT NULL END AS apart,
        CASE $order::VARCHAR WHEN 'worst' THEN quality.quality WHEN 'best' THEN -quality.quality END AS place
    FROM rows AS r
    LEFT JOIN quality ON r.suite = quality.suite AND r.row_key = quality.row_key AND r.repetition = quality.repetition
    LEFT JOIN failed ON r.suite = failed.suite AND r.row_key = failed.row_key AND r.repetition = failed.repetition
    WHERE
        r.job_id = $job_id
        AND ($suite::VARCHAR IS NULL OR r.suite = $suite)
        AND (
            NOT EXISTS (FROM condition)
            OR (r.suite, r.row_key, r.repetition) IN (SELECT (met.suite, met.row_key, met.repetition) FROM met)
        )
)

SELECT * EXCLUDE (apart, place)
FROM ranked
QUALIFY
    $limit::BIGINT IS NULL
    OR row_number() OVER (PARTITION BY apart ORDER BY place NULLS LAST, suite, row_index, repetition) <= $limit
ORDER BY apart DESC, place ASC NULLS LAST, suite ASC, row_index ASC, repetition ASC;
