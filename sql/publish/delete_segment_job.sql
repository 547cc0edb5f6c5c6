-- Empties the table of the jobs in segments before it is read anew from the files.
DELETE FROM segment_job;
