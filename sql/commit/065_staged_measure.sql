-- What was measured, computed once: as a temporary table it stands before the view of the same name.
CREATE OR REPLACE TEMP TABLE measure AS
SELECT * FROM memory.main.measure;
