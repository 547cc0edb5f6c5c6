-- One number for all scores of each job in some files, whatever their order.
SELECT
    job_id,
    count(*) AS scores_count,
    bit_xor(hash(scores)) AS digest
FROM read_parquet($files, hive_partitioning = FALSE) AS scores
GROUP BY job_id;
