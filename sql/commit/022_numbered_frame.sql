-- The numbers of a frame's rows when no key comes twice: each is the first of its key, and they stand as they came.
CREATE OR REPLACE TEMP TABLE numbered_row AS
SELECT
    job_id,
    position,
    suite,
    row_key,
    0::INTEGER AS repetition,
    position AS row_index
FROM logged_row;
