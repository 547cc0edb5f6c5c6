-- What the policy "worst" makes of an error in each metric of a job: in the job alone, and beside its baselines.
-- And whether that is declared (or plain pass and fail), or only the worst score that was seen.
WITH own AS (
    SELECT
        suite,
        metric,
        name,
        bool_and(is_boolean) FILTER (WHERE lowest IS NOT NULL) AS is_boolean,
        any_value(higher_is_better) FILTER (WHERE job_id = $candidate) AS higher_is_better,
        bool_or(
            is_boolean
            OR CASE
                WHEN higher_is_better THEN coalesce(minimum, rubric_minimum(rubric))
                ELSE coalesce(maximum, rubric_maximum(rubric))
            END IS NOT NULL
        ) FILTER (WHERE job_id = $candidate) AS is_declared,
        any_value(value_of_error(
            'worst', score_type, rubric, is_boolean, higher_is_better, minimum, maximum, lowest, highest
        )) FILTER (WHERE job_id = $candidate) AS worth
    FROM measure
    WHERE job_id = $candidate OR list_contains($baselines::VARCHAR[], job_id)
    GROUP BY suite, metric, name
)

SELECT
    own.suite,
    own.metric,
    own.name,
    own.higher_is_better,
    coalesce(own.is_declared, FALSE) AS is_declared,
    own.worth,
    coalesce(own.is_boolean, FALSE)
    OR CASE
        WHEN known.higher_is_better THEN coalesce(known.minimum, rubric_minimum(known.rubric))
        ELSE coalesce(known.maximum, rubric_maximum(known.rubric))
    END IS NOT NULL AS is_declared_together,
    value_of_error(
        'worst', known.score_type, known.rubric, coalesce(own.is_boolean, FALSE), known.higher_is_better,
        known.minimum, known.maximum, known.lowest, known.highest
    ) AS worth_together
FROM own
INNER JOIN compared_metrics($baselines::VARCHAR[], $candidate) AS known
    ON own.suite = known.suite AND own.metric = known.metric AND own.name = known.name AND NOT known.is_told
ORDER BY own.suite, own.metric, own.name;
