-- The rows of two jobs side by side, repetitions taken together: in which of the jobs a key is, and whether it stands
-- for the same content (item and reference) in both.
CREATE OR REPLACE MACRO compared_rows(baseline, candidate) AS TABLE
    SELECT
        suite,
        row_key,
        count(*) FILTER (WHERE job_id = baseline) > 0 AS in_baseline,
        count(*) FILTER (WHERE job_id = candidate) > 0 AS in_candidate,
        in_baseline AND in_candidate AND (
            min(row_hash) FILTER (WHERE job_id = baseline) <> min(row_hash) FILTER (WHERE job_id = candidate)
            OR max(row_hash) FILTER (WHERE job_id = baseline) <> max(row_hash) FILTER (WHERE job_id = candidate)
        ) AS is_changed
    FROM rows
    WHERE job_id IN (baseline, candidate)
    GROUP BY suite, row_key;
