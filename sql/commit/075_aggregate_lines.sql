-- The aggregates, for the documents of the jobs.
SELECT *
FROM staged_aggregate
ORDER BY suite, metric, name;
