-- What two sides hold of some rows: the item, both outputs, and what was said of both.
-- Of several repetitions or baselines, those that show best what became of the row.
WITH wanted AS (
    SELECT
        unnest(
            $rows::STRUCT(
                place BIGINT, suite VARCHAR, row_key VARCHAR, metric VARCHAR, name VARCHAR, baseline_value DOUBLE,
                candidate_value DOUBLE, towards TINYINT
            )[],
            max_depth := 2
        )
),

said AS (
    SELECT
        job_id,
        suite,
        row_key,
        repetition,
        metric,
        name,
        avg(value) AS value,
        string_agg(DISTINCT comment, '; ') AS comment,
        any_value(error) AS error
    FROM row_scores
    WHERE
        (job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id))
        AND ($last_index::BIGINT IS NULL OR row_index BETWEEN $first_index AND $last_index)
        AND (len($row_keys::VARCHAR[]) > 200 OR list_contains($row_keys::VARCHAR[], row_key))
        AND row_key IN (SELECT unnest($row_keys::VARCHAR[]))
    GROUP BY job_id, suite, row_key, repetition, metric, name
),

shown AS (
    SELECT
        wanted.place,
        r.job_id = $candidate AS is_candidate,
        r.item,
        r.reference,
        r.sample,
        said.comment,
        coalesce(r.error, said.error) AS error,
        CASE WHEN is_candidate THEN wanted.towards ELSE -wanted.towards END AS direction,
        CASE WHEN is_candidate THEN wanted.candidate_value ELSE wanted.baseline_value END AS mean,
        CASE WHEN is_candidate THEN wanted.baseline_value ELSE wanted.candidate_value END AS other_mean
    FROM rows AS r
    INNER JOIN wanted ON r.suite = wanted.suite AND r.row_key = wanted.row_key
    LEFT JOIN said
        ON
            r.job_id = said.job_id
            AND r.suite = said.suite
            AND r.row_key = said.row_key
            AND r.repetition = said.repetition
            AND wanted.metric = said.metric
            AND wanted.name = said.name
    WHERE
        (r.job_id = $candidate OR list_contains($baselines::VARCHAR[], r.job_id))
        AND ($last_index::BIGINT IS NULL OR r.row_index BETWEEN $first_index AND $last_index)
        AND (len($row_keys::VARCHAR[]) > 200 OR list_contains($row_keys::VARCHAR[], r.row_key))
    QUALIFY
        row_number() OVER (
            PARTITION BY wanted.place, is_candidate
            ORDER BY
                CASE  -- what differs from the other side goes first, then what went wrong
                    WHEN mean IS NULL THEN (coalesce(r.error, said.error) IS NULL)::INTEGER
                    WHEN wanted.towards IS NULL THEN (said.value IS NULL)::INTEGER
                    WHEN said.value IS NOT NULL AND coalesce((said.value - other_mean) * direction > 0, TRUE) THEN 0
                    WHEN coalesce(r.error, said.error) IS NOT NULL THEN 1
                    ELSE 2
                END,
                said.value * direction DESC NULLS LAST,
                list_position($baselines::VARCHAR[], r.job_id) DESC,
                r.repetition
        ) = 1
)

SELECT
    coalesce(after.item, before.item) AS item,
    coalesce(after.reference, before.reference) AS reference,
    before.sample AS baseline_sample,
    after.sample AS candidate_sample,
    before.comment AS baseline_comment,
    after.comment AS candidate_comment,
    before.error AS baseline_error,
    after.error AS candidate_error
FROM wanted
LEFT JOIN shown AS before ON wanted.place = before.place AND NOT before.is_candidate
LEFT JOIN shown AS after ON wanted.place = after.place AND after.is_candidate
ORDER BY wanted.place;
