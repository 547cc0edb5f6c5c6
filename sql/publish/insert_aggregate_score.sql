-- Adds lines of the table aggregate_score out of job documents.
INSERT INTO aggregate_score BY NAME
SELECT unnest(lines)
FROM (
    SELECT unnest(from_json(chunk, $structure)) AS lines
    FROM unnest($documents::VARCHAR[]) AS chunks (chunk)
) AS parsed;
