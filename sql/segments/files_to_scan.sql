-- The Parquet files that a question across all jobs reads: segments, as far as they are there, and the own files of the
-- jobs that are in none. Rows are never compacted. Segments come first: by the first file DuckDB judges how much there
-- is to read, and so which side of a join to look up.
WITH present AS (
    SELECT
        segment_job.job_id,
        segment.path
    FROM segment_job
    INNER JOIN segment ON segment_job.segment_id = segment.segment_id
    WHERE list_contains($present::VARCHAR[], segment.path)
),

scanned AS (
    SELECT
        path,
        FALSE AS is_own
    FROM present
    UNION
    SELECT
        score_file.scores AS path,
        TRUE AS is_own
    FROM score_file
    ANTI JOIN present ON score_file.job_id = present.job_id
)

SELECT
    (SELECT list(path ORDER BY is_own, path) FROM scanned) AS score_files,
    (SELECT list("rows" ORDER BY job_id) FROM score_file) AS row_files;
