-- Adds lines of the table segment_job out of the footers of the files.
INSERT INTO segment_job BY NAME
SELECT * FROM document_line;
