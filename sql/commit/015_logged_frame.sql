-- The rows of a frame, with the key and hash that log() makes in Python for the same content.
CREATE OR REPLACE VIEW logged_row AS
SELECT
    getvariable('job_id') AS job_id,
    * EXCLUDE (canonical_item, canonical_reference, row_key),
    coalesce(row_key, left(sha256(canonical_item), 32)) AS row_key,
    left(sha256(canonical_item || chr(10) || canonical_reference), 32) AS row_hash,
    NULL::INTEGER AS row_index,
    NULL::VARCHAR AS requests,
    NULL::VARCHAR AS error_details,
    NULL::TIMESTAMPTZ AS started_at,
    NULL::TIMESTAMPTZ AS finished_at,
    NULL::VARCHAR[] AS tags
FROM frame;
