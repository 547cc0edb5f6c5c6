-- Adds the verdicts that meta/verdicts.jsonl holds.
INSERT INTO gate_verdict BY NAME
SELECT * FROM document_line;
