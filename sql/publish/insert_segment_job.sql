-- Adds lines of the table segment_job out of the footers of the files.
INSERT INTO segment_job BY NAME
SELECT unnest(lines)
FROM (
    SELECT unnest(from_json(chunk, $structure)) AS lines
    FROM unnest($documents::VARCHAR[]) AS chunks (chunk)
) AS parsed;
