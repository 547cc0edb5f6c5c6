-- Adds lines of the table segment out of the footers of the files.
INSERT INTO segment BY NAME
SELECT * FROM document_line;
