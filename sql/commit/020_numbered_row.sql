-- Which logged rows stand, and their numbers: of an explicitly numbered row the last line counts (it replaced one in
-- error); an unnumbered row takes the next free repetition of its key, in the order of logging.
CREATE OR REPLACE TEMP TABLE numbered_row AS
WITH standing AS (
    SELECT
        job_id,
        position,
        suite,
        row_key,
        repetition,
        row_index
    FROM logged_row
    QUALIFY
        repetition IS NULL
        OR row_number() OVER (PARTITION BY job_id, suite, row_key, repetition ORDER BY position DESC) = 1
)

SELECT
    job_id,
    position,
    suite,
    row_key,
    coalesce(
        repetition,
        coalesce(max(repetition) OVER (PARTITION BY job_id, suite, row_key) + 1, 0)
        + row_number() OVER (PARTITION BY job_id, suite, row_key, repetition IS NULL ORDER BY position) - 1
    )::INTEGER AS repetition,
    coalesce(row_index, row_number() OVER (PARTITION BY job_id, suite ORDER BY position) - 1) AS row_index
FROM standing;
