-- The text of one field of a row, named by its column and, inside a JSON column, by a JSON path.
CREATE OR REPLACE MACRO row_field(
    source, path, suite, row_key, repetition, "cluster", tags, error, latency, cost, total_tokens,
    item, sample, reference, metadata
) AS
CASE source
    WHEN 'item' THEN json_extract_string(item, path)
    WHEN 'sample' THEN json_extract_string(sample, path)
    WHEN 'reference' THEN json_extract_string(reference, path)
    WHEN 'metadata' THEN json_extract_string(metadata, path)
    WHEN 'suite' THEN suite
    WHEN 'row_key' THEN row_key
    WHEN 'repetition' THEN repetition::VARCHAR
    WHEN 'cluster' THEN "cluster"
    WHEN 'tags' THEN array_to_string(tags, ', ')
    WHEN 'error' THEN error
    WHEN 'latency' THEN latency::VARCHAR
    WHEN 'cost' THEN cost::VARCHAR
    WHEN 'total_tokens' THEN total_tokens::VARCHAR
END;
