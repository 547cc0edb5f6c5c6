-- The segments that the catalog names.
SELECT path FROM segment;
