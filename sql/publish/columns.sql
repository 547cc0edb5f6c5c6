-- The columns of a table of the attached catalog, for reading documents into it; maps are read as text.
SELECT
    column_name,
    CASE WHEN data_type LIKE 'MAP(%' THEN 'VARCHAR' ELSE data_type END AS data_type
FROM duckdb_columns()
WHERE database_name = 'catalog' AND schema_name = 'main' AND table_name = $table_name
ORDER BY column_index;
