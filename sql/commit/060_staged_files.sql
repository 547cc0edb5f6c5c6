-- The files just written, under the names of the views: aggregates are computed by the very text that readers use.
CREATE OR REPLACE VIEW rows AS SELECT * FROM read_parquet(getvariable('row_files'), hive_partitioning = FALSE);
CREATE OR REPLACE VIEW row_scores AS SELECT * FROM read_parquet(getvariable('score_files'), hive_partitioning = FALSE);
