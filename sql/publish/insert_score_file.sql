-- Adds lines of the table score_file out of job documents.
INSERT INTO score_file BY NAME
SELECT * FROM document_line;
