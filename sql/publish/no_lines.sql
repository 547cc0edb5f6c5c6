-- A table of the attached catalog without its lines: the types of its columns.
SELECT * FROM query_table($table_name)
WHERE FALSE;
