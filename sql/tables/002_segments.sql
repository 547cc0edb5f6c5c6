-- Segments: the scores of many small jobs in few large files, for questions across jobs. They are derived: the files of
-- the jobs stay the truth, and a job without a segment, or whose segment is gone, is read from its own file.
CREATE TABLE segment (
    segment_id VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    scores_count BIGINT NOT NULL
);

-- A job belongs to one segment at most, also while it is deleted.
CREATE TABLE segment_job (
    segment_id VARCHAR NOT NULL,
    job_id VARCHAR NOT NULL
);
