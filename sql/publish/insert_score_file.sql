-- Adds lines of the table score_file out of job documents.
INSERT INTO score_file BY NAME
SELECT unnest(lines)
FROM (
    SELECT unnest(from_json(chunk, $structure)) AS lines
    FROM unnest($documents::VARCHAR[]) AS chunks (chunk)
) AS parsed;
