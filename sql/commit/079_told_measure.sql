-- What was only told of is declared all the same: it stands beside what was measured.
INSERT INTO measure BY NAME
SELECT DISTINCT ON (a.job_id, a.suite, a.metric, a.name)
    a.job_id,
    a.suite,
    a.metric,
    a.name,
    declared.minimum,
    declared.maximum,
    coalesce(declared.higher_is_better, TRUE) AS higher_is_better
FROM staged_aggregate AS a
INNER JOIN declared_metric AS declared
    ON a.job_id = declared.job_id AND a.metric = declared.metric AND (declared.name IS NULL OR a.name = declared.name)
ANTI JOIN measure AS seen
    ON a.job_id = seen.job_id AND a.suite = seen.suite AND a.metric = seen.metric AND a.name = seen.name
ORDER BY a.job_id, a.suite, a.metric, a.name, declared.name NULLS LAST;
