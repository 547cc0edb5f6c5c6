-- Where in the table `aggregate_score` the scores of these jobs stand.
SELECT rowid AS place
FROM aggregate_score
WHERE job_number IN (SELECT unnest($job_numbers::UBIGINT[]));
