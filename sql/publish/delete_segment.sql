-- Empties the table of segments before it is read anew from the files.
DELETE FROM segment;
