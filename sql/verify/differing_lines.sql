-- How many lines two Parquet files do not share, but for the ids of their jobs.
WITH one AS (
    SELECT * EXCLUDE (job_id) FROM read_parquet($one, hive_partitioning = FALSE)
),

other AS (
    SELECT * EXCLUDE (job_id) FROM read_parquet($other, hive_partitioning = FALSE)
),

differing AS (
    (
        SELECT * FROM one
        EXCEPT ALL
        SELECT * FROM other
    )
    UNION ALL
    (
        SELECT * FROM other
        EXCEPT ALL
        SELECT * FROM one
    )
)

SELECT count(*) AS lines
FROM differing;
