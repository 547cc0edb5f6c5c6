-- What the declarations make of one score, the same for journals and frames.
-- The step of a rubric that a score stands on: that of its label, else that of its value.
CREATE OR REPLACE MACRO rubric_step(rubric, score_label, score_value) AS
CASE
    WHEN rubric IS NOT NULL AND score_label IS NOT NULL
        THEN list_filter(rubric, lambda r: r.label = score_label)[1]
    WHEN rubric IS NOT NULL AND score_value IS NOT NULL
        THEN list_filter(rubric, lambda r: r.value = score_value)[1]
END;

-- Pass/fail: as it was logged, else of a boolean by the direction, of another number by the threshold.
CREATE OR REPLACE MACRO judged_passed(passed, value_type, score_value, threshold, higher_is_better) AS
CASE
    WHEN passed IS NOT NULL THEN passed
    WHEN value_type = 'bool' THEN (score_value = 1) = coalesce(higher_is_better, TRUE)
    WHEN threshold IS NOT NULL AND isfinite(score_value)
        THEN CASE WHEN higher_is_better THEN score_value >= threshold ELSE score_value <= threshold END
END;

-- Status `scored` means exactly: this score takes part in a mean or a distribution. NaN, infinities, None and unknown
-- labels are kept, and `unscored`.
CREATE OR REPLACE MACRO judged_status(error, status, score_value, score_label, rubric, step) AS
CASE
    WHEN error IS NOT NULL THEN 'error'
    WHEN status IS NOT NULL THEN status
    WHEN isfinite(score_value) THEN 'scored'
    WHEN score_value IS NULL AND score_label <> '' AND (rubric IS NULL OR step IS NOT NULL) THEN 'scored'
    ELSE 'unscored'
END;
