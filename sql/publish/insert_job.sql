-- Adds lines of the table job out of job documents. Labels come as the text of an object.
INSERT INTO job BY NAME
SELECT
    * REPLACE (try_cast(labels::JSON AS MAP(VARCHAR, VARCHAR)) AS labels, md5_number_lower(job_id) AS job_number)
FROM document_line;
