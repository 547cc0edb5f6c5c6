-- What two sides hold of some rows: the item, both outputs, and what was said of both.
WITH wanted AS (
    SELECT unnest(
        $rows::STRUCT(place BIGINT, suite VARCHAR, row_key VARCHAR, metric VARCHAR, name VARCHAR)[], max_depth := 2
    )
),

shown AS (
    SELECT
        suite,
        row_key,
        arg_min(item, repetition) FILTER (WHERE job_id = $candidate) AS item,
        arg_min(item, repetition) AS item_of_either,
        arg_min(reference, repetition) AS reference,
        arg_min(sample, repetition) FILTER (WHERE job_id <> $candidate) AS baseline_sample,
        arg_min(sample, repetition) FILTER (WHERE job_id = $candidate) AS candidate_sample,
        arg_min(error, repetition) FILTER (WHERE job_id <> $candidate) AS baseline_error,
        arg_min(error, repetition) FILTER (WHERE job_id = $candidate) AS candidate_error
    FROM rows
    WHERE
        (job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id))
        AND ($last_index::BIGINT IS NULL OR row_index BETWEEN $first_index AND $last_index)
        AND (len($row_keys::VARCHAR[]) > 200 OR list_contains($row_keys::VARCHAR[], row_key))
        AND row_key IN (SELECT unnest($row_keys::VARCHAR[]))
    GROUP BY suite, row_key
),

said AS (
    SELECT
        suite,
        row_key,
        metric,
        name,
        string_agg(DISTINCT comment, '; ') FILTER (WHERE job_id <> $candidate) AS baseline_comment,
        string_agg(DISTINCT comment, '; ') FILTER (WHERE job_id = $candidate) AS candidate_comment,
        any_value(error) FILTER (WHERE job_id <> $candidate) AS baseline_error,
        any_value(error) FILTER (WHERE job_id = $candidate) AS candidate_error
    FROM row_scores
    WHERE
        (job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id))
        AND ($last_index::BIGINT IS NULL OR row_index BETWEEN $first_index AND $last_index)
        AND (len($row_keys::VARCHAR[]) > 200 OR list_contains($row_keys::VARCHAR[], row_key))
        AND row_key IN (SELECT unnest($row_keys::VARCHAR[]))
    GROUP BY suite, row_key, metric, name
)

SELECT
    coalesce(shown.item, shown.item_of_either) AS item,
    shown.reference,
    shown.baseline_sample,
    shown.candidate_sample,
    said.baseline_comment,
    said.candidate_comment,
    coalesce(shown.baseline_error, said.baseline_error) AS baseline_error,
    coalesce(shown.candidate_error, said.candidate_error) AS candidate_error
FROM wanted
LEFT JOIN shown ON wanted.suite = shown.suite AND wanted.row_key = shown.row_key
LEFT JOIN said
    ON
        wanted.suite = said.suite
        AND wanted.row_key = said.row_key
        AND wanted.metric = said.metric
        AND wanted.name = said.name
ORDER BY wanted.place;
