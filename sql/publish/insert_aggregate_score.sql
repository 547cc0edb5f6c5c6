-- Adds lines of the table aggregate_score out of job documents.
INSERT INTO aggregate_score BY NAME
SELECT * REPLACE (md5_number_lower(job_id) AS job_number) FROM document_line;
