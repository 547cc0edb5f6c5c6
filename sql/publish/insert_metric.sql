-- Adds the declarations that meta/metrics.jsonl holds.
INSERT INTO metric BY NAME
SELECT unnest(lines)
FROM (
    SELECT unnest(from_json(chunk, $structure)) AS lines
    FROM unnest($documents::VARCHAR[]) AS chunks (chunk)
) AS parsed;
