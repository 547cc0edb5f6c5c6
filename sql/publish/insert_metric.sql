-- Adds the declarations that meta/metrics.jsonl holds.
INSERT INTO metric BY NAME
SELECT * FROM document_line;
