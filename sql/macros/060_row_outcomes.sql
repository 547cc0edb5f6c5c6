-- Every row of a suite beside every metric that was measured there, so that nothing drops out of a total unseen.
-- `state` is scored, error or unscored. errors := 'zero' gives an error the value 0, 'worst' the worst value of the
-- metric.
CREATE OR REPLACE MACRO row_outcomes(errors := 'exclude', slice_source := NULL, slice_path := NULL) AS TABLE
    WITH outcome AS (
        SELECT
            measure.job_id,
            measure.suite,
            measure.metric,
            measure.name,
            row_field(
                slice_source, slice_path, r.suite, r.row_key, r.repetition, r."cluster", r.tags, r.error, r.latency,
                r.cost,
                r.total_tokens, r.item, r.sample, r.reference, r.metadata
            ) AS slice,
            r.row_key,
            r.repetition,
            r."cluster",
            score.value,
            score.label,
            score.passed,
            CASE
                WHEN score.status = 'scored' AND (score.value IS NOT NULL OR score_type = 'rubric') THEN 'scored'
                WHEN score.status = 'error' OR r.error IS NOT NULL THEN 'error'
                ELSE 'unscored'
            END AS state,
            CASE
                WHEN
                    measure.score_type = 'rubric' AND coalesce(rubric_minimum(measure.rubric), measure.lowest) IS NULL
                    THEN NULL  -- labels have no worst number
                WHEN errors = 'zero' THEN 0.0
                WHEN measure.is_boolean THEN CASE WHEN measure.higher_is_better THEN 0.0 ELSE 1.0 END
                WHEN measure.higher_is_better
                    THEN coalesce(measure.minimum, rubric_minimum(measure.rubric), measure.lowest)
                ELSE coalesce(measure.maximum, rubric_maximum(measure.rubric), measure.highest)
            END AS value_of_error,
            measure.is_judged OR measure.threshold IS NOT NULL AS is_judged,
            isnan(score.value) AS is_nan,
            isinf(score.value) AS is_inf,
            CASE
                WHEN measure.rubric IS NULL
                    THEN isfinite(score.value) AND (score.value < measure.minimum OR score.value > measure.maximum)
                WHEN score.label IS NOT NULL
                    THEN
                        score.label <> ''
                        AND NOT list_contains(list_transform(measure.rubric, lambda s: s.label), score.label)
                ELSE
                    isfinite(score.value)
                    AND NOT list_contains(list_transform(measure.rubric, lambda s: s.value), score.value)
            END AS is_out_of_range
        FROM measure
        INNER JOIN rows AS r ON measure.job_id = r.job_id AND measure.suite = r.suite
        LEFT JOIN row_scores AS score
            ON
                measure.job_id = score.job_id
                AND measure.suite = score.suite
                AND measure.metric = score.metric
                AND measure.name = score.name
                AND r.row_key = score.row_key
                AND r.repetition = score.repetition
    )

    SELECT
        job_id,
        suite,
        metric,
        name,
        slice,
        row_key,
        repetition,
        "cluster",
        state,
        state = 'scored' OR (state = 'error' AND errors <> 'exclude' AND value_of_error IS NOT NULL) AS is_counted,
        CASE
            WHEN state = 'scored' THEN value
            WHEN state = 'error' AND errors <> 'exclude' THEN value_of_error
        END AS value,
        CASE WHEN state = 'scored' THEN label END AS label,
        CASE
            WHEN state = 'scored' THEN passed
            WHEN state = 'error' AND errors <> 'exclude' AND is_judged THEN FALSE
        END AS passed,
        coalesce(is_nan, FALSE) AS is_nan,
        coalesce(is_inf, FALSE) AS is_inf,
        coalesce(is_out_of_range, FALSE) AS is_out_of_range
    FROM outcome;
