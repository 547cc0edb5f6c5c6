-- Adds the versions of baselines that meta/baselines.jsonl holds.
INSERT INTO baseline BY NAME
SELECT * FROM document_line;
