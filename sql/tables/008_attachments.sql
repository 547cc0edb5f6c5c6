-- The files that are kept with a job as they came, beside its Parquet files: `jobs/<workspace>/<name>/` holds them.
ALTER TABLE job ADD COLUMN attachments STRUCT(name VARCHAR, "bytes" BIGINT, sha256 VARCHAR)[];
