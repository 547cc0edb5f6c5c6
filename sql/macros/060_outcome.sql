-- What one score, or the lack of one, means for the statistics of its metric.
-- A row counts as scored, in error or unscored: a row that failed is in error for every metric without a score there.
CREATE OR REPLACE MACRO outcome_state(status, score_value, score_type, is_failed) AS
CASE
    WHEN status = 'scored' AND (score_value IS NOT NULL OR score_type = 'rubric') THEN 'scored'
    WHEN status = 'error' OR coalesce(is_failed, FALSE) THEN 'error'
    ELSE 'unscored'
END;

-- What an error is worth: errors := 'zero' gives it the value 0, 'worst' the worst value of the metric: that which is
-- declared, or was seen beyond it; where none is declared, the worst one seen.
CREATE OR REPLACE MACRO value_of_error(
    errors, score_type, rubric, is_boolean, higher_is_better, minimum, maximum, lowest, highest
) AS
CASE
    WHEN errors = 'exclude' THEN NULL
    WHEN score_type = 'rubric' AND coalesce(rubric_minimum(rubric), lowest) IS NULL
        THEN NULL  -- labels have no worst number
    WHEN errors = 'zero' THEN 0.0
    WHEN is_boolean THEN CASE WHEN higher_is_better THEN 0.0 ELSE 1.0 END
    WHEN higher_is_better THEN least(coalesce(minimum, rubric_minimum(rubric)), lowest)
    ELSE greatest(coalesce(maximum, rubric_maximum(rubric)), highest)
END;

-- Whether a score lies outside of what was declared: beyond the bounds, or no step of the rubric.
CREATE OR REPLACE MACRO is_out_of_range(score_value, label, minimum, maximum, step_labels, step_values) AS
CASE
    WHEN step_labels IS NULL THEN isfinite(score_value) AND (score_value < minimum OR score_value > maximum)
    WHEN label IS NOT NULL THEN label <> '' AND NOT list_contains(step_labels, label)
    ELSE isfinite(score_value) AND NOT list_contains(step_values, score_value)
END;
