-- The totals, for the documents of the jobs.
SELECT * FROM job_total;
