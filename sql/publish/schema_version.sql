-- Whether the attached catalog has any tables yet.
SELECT count(*) > 0 AS is_set_up
FROM duckdb_tables()
WHERE database_name = 'catalog' AND table_name = 'schema_version';
