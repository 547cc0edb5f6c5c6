-- Adds lines of the table job out of job documents.
INSERT INTO job BY NAME
SELECT unnest(lines)
FROM (
    SELECT unnest(from_json(chunk, $structure)) AS lines
    FROM unnest($documents::VARCHAR[]) AS chunks (chunk)
) AS parsed;
