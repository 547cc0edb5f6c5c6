-- How good each row is, from 0 (worst) to 1: pass/fail as it is, other numbers by their place in the declared range, or
-- in the range seen in the job, turned round when lower is better; the mean over the metrics of the row.
CREATE OR REPLACE VIEW row_qualities AS
WITH scaled AS (
    SELECT
        score.job_id,
        score.suite,
        score.metric,
        score.row_key,
        score.repetition,
        measure.higher_is_better OR score.passed IS NOT NULL AS is_ascending,
        CASE
            WHEN score.passed IS NOT NULL THEN score.passed::DOUBLE
            ELSE
                (score.value - coalesce(measure.minimum, measure.lowest))
                / nullif(coalesce(measure.maximum, measure.highest) - coalesce(measure.minimum, measure.lowest), 0)
        END AS place
    FROM row_scores AS score
    INNER JOIN measure
        ON
            score.job_id = measure.job_id
            AND score.suite = measure.suite
            AND score.metric = measure.metric
            AND score.name = measure.name
    WHERE score.status = 'scored'
)

SELECT
    job_id,
    suite,
    metric,
    row_key,
    repetition,
    avg(CASE WHEN is_ascending THEN place ELSE 1 - place END) AS quality
FROM scaled
GROUP BY job_id, suite, metric, row_key, repetition;
COMMENT ON VIEW row_qualities IS 'How good each row is by each metric, from 0 (worst) to 1: the order behind worst rows.';
