-- Empties the table of baselines before it is read anew from meta/baselines.jsonl.
DELETE FROM baseline;
