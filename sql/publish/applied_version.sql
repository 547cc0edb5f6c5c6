-- The number of the last migration that the attached catalog has seen.
SELECT coalesce(max(version), 0) AS version FROM schema_version;
