-- The rows of a frame.
CREATE OR REPLACE VIEW logged_row AS
SELECT
    getvariable('job_id') AS job_id,
    getvariable('frame_suite') AS suite,
    *,
    NULL::INTEGER AS row_index,
    NULL::VARCHAR AS requests,
    NULL::VARCHAR AS error_details,
    NULL::TIMESTAMPTZ AS started_at,
    NULL::TIMESTAMPTZ AS finished_at,
    NULL::VARCHAR[] AS tags
FROM frame;
