-- What gates said of jobs, with a verdict per rule in the nested column rules.
CREATE OR REPLACE VIEW gate_verdicts AS
SELECT * FROM gate_verdict;
COMMENT ON VIEW gate_verdicts IS
'One line per verdict of a gate: the job, what it was judged against, the outcome in all and per rule (UNNEST of rules).';
