-- The scores of the journal, one line each.
CREATE OR REPLACE VIEW logged_score AS
SELECT
    logged.job_id,
    logged.position,
    score.*
FROM logged_row AS logged, unnest(logged.scores) AS unnested (score);
