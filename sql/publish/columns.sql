-- The columns of a table of the attached catalog, for reading documents into it.
SELECT
    column_name,
    data_type
FROM duckdb_columns()
WHERE database_name = 'catalog' AND schema_name = 'main' AND table_name = $table_name
ORDER BY column_index;
