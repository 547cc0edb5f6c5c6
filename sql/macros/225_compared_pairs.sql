-- What became of a row: by right and wrong where the metric is judged, else by whether its value got better or worse.
CREATE OR REPLACE MACRO flip_of(
    baseline_in_error, candidate_in_error, baseline_value, candidate_value, baseline_right, candidate_right,
    higher_is_better
) AS
CASE
    WHEN baseline_in_error AND candidate_in_error THEN 'both in error'
    WHEN candidate_in_error THEN CASE WHEN baseline_value IS NOT NULL THEN 'newly in error' END
    WHEN baseline_in_error THEN CASE WHEN candidate_value IS NOT NULL THEN 'recovered' END
    WHEN baseline_right IS NOT NULL AND candidate_right IS NOT NULL
        THEN CASE
            WHEN candidate_right > baseline_right THEN 'improved'
            WHEN candidate_right < baseline_right THEN 'regressed'
            WHEN baseline_right = 1 THEN 'both right'
            WHEN baseline_right = 0 THEN 'both wrong'
            ELSE 'unchanged'
        END
    WHEN candidate_value = baseline_value THEN 'unchanged'
    WHEN candidate_value IS NOT NULL AND baseline_value IS NOT NULL
        THEN CASE WHEN (candidate_value > baseline_value) = higher_is_better THEN 'improved' ELSE 'regressed' END
END;

-- The rows of two jobs by metric, each with its flip, its cluster and its slice; rows of other content left out.
-- `cluster_source` and `slice_source` name fields of rows (see row_field) of the job `told_by`; without them, and
-- without `check_content`, no rows are read.
CREATE OR REPLACE MACRO compared_pairs(
    baseline, candidate, errors, check_content, told_by, cluster_source, cluster_path, slice_source, slice_path
) AS TABLE
    -- The common tables are used by the names that are handed on.
    -- noqa: disable=ST03
    WITH compared_metric AS MATERIALIZED (
        SELECT * FROM compared_metrics(baseline, candidate)
        WHERE in_both
    ),

    told AS NOT MATERIALIZED (
        SELECT
            r.suite,
            r.row_key,
            arg_min(row_field(
                cluster_source, cluster_path, r.suite, r.row_key, r.repetition, r."cluster", r.tags, r.error,
                r.latency, r.cost, r.total_tokens, r.item, r.sample, r.reference, r.metadata
            ), r.repetition) AS "cluster",
            arg_min(row_field(
                slice_source, slice_path, r.suite, r.row_key, r.repetition, r."cluster", r.tags, r.error,
                r.latency, r.cost, r.total_tokens, r.item, r.sample, r.reference, r.metadata
            ), r.repetition) AS slice
        FROM rows AS r
        WHERE r.job_id = told_by AND (cluster_source IS NOT NULL OR slice_source IS NOT NULL)
        GROUP BY r.suite, r.row_key
    ),

    changed AS (
        SELECT
            suite,
            row_key
        FROM compared_rows(baseline, candidate)
        WHERE check_content AND is_changed
    )

    SELECT
        place.suite,
        place.metric,
        place.name,
        place.higher_is_better,
        item.*,
        item.candidate_value - item.baseline_value AS difference,
        item.baseline_in_error OR item.candidate_in_error AS in_error,
        flip_of(
            item.baseline_in_error, item.candidate_in_error, item.baseline_value, item.candidate_value,
            item.baseline_right, item.candidate_right, place.higher_is_better
        ) AS flip,
        told."cluster",
        told.slice
    FROM compared_items('compared_metric', baseline, candidate, errors) AS item
    INNER JOIN compared_metric AS place ON item.number = place.number
    LEFT JOIN told ON place.suite = told.suite AND item.row_key = told.row_key
    ANTI JOIN changed ON place.suite = changed.suite AND item.row_key = changed.row_key;
