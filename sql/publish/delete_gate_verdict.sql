-- Empties the table of verdicts before it is read anew from meta/verdicts.jsonl.
DELETE FROM gate_verdict;
