-- Empties the table of declarations before it is read anew from meta/metrics.jsonl.
DELETE FROM metric;
