-- The rows of two sides beside one another, repetitions taken together: on which side a key is, and whether it stands
-- for the same content (item and reference) on both.
CREATE OR REPLACE MACRO compared_rows(baselines, candidate) AS TABLE
    SELECT
        suite,
        row_key,
        count(*) FILTER (WHERE job_id <> candidate) > 0 AS in_baseline,
        count(*) FILTER (WHERE job_id = candidate) > 0 AS in_candidate,
        in_baseline AND in_candidate AND (
            min(row_hash) FILTER (WHERE job_id <> candidate) <> min(row_hash) FILTER (WHERE job_id = candidate)
            OR max(row_hash) FILTER (WHERE job_id <> candidate) <> max(row_hash) FILTER (WHERE job_id = candidate)
        ) AS is_changed
    FROM rows
    WHERE job_id = candidate OR list_contains(baselines, job_id)
    GROUP BY suite, row_key;
