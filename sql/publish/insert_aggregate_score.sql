-- Adds lines of the table aggregate_score out of job documents.
INSERT INTO aggregate_score BY NAME
SELECT * FROM document_line;
