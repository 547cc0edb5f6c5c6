-- Whether this catalog lies where its files are. Plain DuckDB finds the files by an absolute path, and must not answer
-- in a copy of a store with the rows of the original.
CREATE OR REPLACE VIEW catalog_place AS
SELECT
    CASE
        WHEN bool_or(place.path = known.path || '/catalog.duckdb') THEN TRUE
        ELSE error('this store was moved or copied: run `evalstore rebuild`, or record a job in it with evalstore')
    END AS is_at_home
FROM duckdb_databases() AS place, (SELECT unnest(paths) AS path FROM store_info) AS known;
COMMENT ON VIEW catalog_place IS 'Whether this catalog lies where its files are; an error where it does not.';
