-- Adds lines of the table job out of job documents. Labels come as the text of an object.
INSERT INTO job BY NAME
SELECT * REPLACE (try_cast(labels::JSON AS MAP(VARCHAR, VARCHAR)) AS labels) FROM document_line;
