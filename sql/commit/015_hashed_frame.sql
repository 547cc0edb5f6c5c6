-- The rows of a frame with the key and hash that log() makes in Python for the same content.
SELECT
    * EXCLUDE (canonical_item, canonical_reference, row_key),
    coalesce(row_key, left(sha256(canonical_item), 32)) AS row_key,
    left(sha256(canonical_item || chr(10) || canonical_reference), 32) AS row_hash
FROM frame;
