-- The jobs of a workspace that were imported, by the content hash of what they were imported from.
SELECT
    source.content_hash AS content_hash,
    list(name ORDER BY name) AS names
FROM jobs
WHERE workspace = $workspace AND source.content_hash IS NOT NULL
GROUP BY source.content_hash;
