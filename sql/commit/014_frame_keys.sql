-- The key and the hash of each row of a frame, as log() makes them in Python for the same content.
SELECT
    coalesce(row_key, left(sha256(canonical_item), 32)) AS row_key,
    left(sha256(canonical_item || chr(10) || canonical_reference), 32) AS row_hash
FROM frame_content;
