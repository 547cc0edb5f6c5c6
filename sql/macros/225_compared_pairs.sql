-- How far two values lie apart; what is no more than rounding is 0, and not a row that got better or worse.
CREATE OR REPLACE MACRO difference_of(baseline_value, candidate_value) AS
CASE
    WHEN
        abs(candidate_value - baseline_value) <= 1e-12 * greatest(abs(candidate_value), abs(baseline_value))
        THEN 0.0
    ELSE candidate_value - baseline_value
END;

-- What became of a row, as a number that flip_name says in words: by right and wrong where the metric is judged, else
-- by whether its value got better or worse.
CREATE OR REPLACE MACRO flip_of(
    baseline_in_error, candidate_in_error, baseline_value, candidate_value, baseline_right, candidate_right,
    higher_is_better
) AS
CASE
    WHEN baseline_in_error AND candidate_in_error THEN 8
    WHEN candidate_in_error THEN 3
    WHEN baseline_in_error THEN CASE WHEN candidate_value IS NOT NULL THEN 4 END
    WHEN baseline_right IS NOT NULL AND candidate_right IS NOT NULL
        THEN CASE
            WHEN candidate_right - baseline_right > 1e-12 THEN 1
            WHEN candidate_right - baseline_right < -1e-12 THEN 2
            WHEN baseline_right = 1 THEN 5
            WHEN baseline_right = 0 THEN 6
            ELSE 7
        END
    WHEN difference_of(baseline_value, candidate_value) = 0 THEN 7
    WHEN candidate_value IS NOT NULL AND baseline_value IS NOT NULL
        THEN CASE WHEN (candidate_value > baseline_value) = higher_is_better THEN 1 ELSE 2 END
END::TINYINT;

CREATE OR REPLACE MACRO flip_names() AS
['improved', 'regressed', 'newly in error', 'recovered', 'both right', 'both wrong', 'unchanged', 'both in error'];

CREATE OR REPLACE MACRO flip_name(flip) AS flip_names()[flip];

CREATE OR REPLACE MACRO flip_numbers(flips) AS
list_transform(flips, lambda name: list_position(flip_names(), name)::TINYINT);

-- The rows of both sides by metric, each with its flip, its cluster and its slice; rows of other content left out.
-- `cluster_source` and `slice_source` name fields of rows (see row_field) of the jobs `told_by`: the cluster of a row
-- is that of the first of them that names one, its slice that of the very first. Without them, and without
-- `check_content`, no rows are read.
CREATE OR REPLACE MACRO compared_pairs(
    baselines, candidate, errors, is_plain, check_content, told_by, cluster_source, cluster_path, slice_source,
    slice_path
) AS TABLE
    -- The common tables are used by the names that are handed on.
    -- noqa: disable=ST03
    WITH compared_metric AS MATERIALIZED (
        SELECT * FROM compared_metrics(baselines, candidate)
        WHERE in_both
    ),

    telling AS NOT MATERIALIZED (
        SELECT
            r.suite,
            r.row_key,
            r.repetition,
            list_position(told_by, r.job_id) AS place,
            row_field(
                cluster_source, cluster_path, r.suite, r.row_key, r.repetition, r."cluster", r.tags, r.error,
                r.latency, r.cost, r.total_tokens, r.item, r.sample, r.reference, r.metadata
            ) AS "cluster",
            row_field(
                slice_source, slice_path, r.suite, r.row_key, r.repetition, r."cluster", r.tags, r.error,
                r.latency, r.cost, r.total_tokens, r.item, r.sample, r.reference, r.metadata
            ) AS slice
        FROM rows AS r
        WHERE list_contains(told_by, r.job_id) AND (cluster_source IS NOT NULL OR slice_source IS NOT NULL)
    ),

    told AS NOT MATERIALIZED (
        SELECT
            suite,
            row_key,
            "cluster",
            slice
        FROM telling
        WHERE is_plain AND len(told_by) = 1
        UNION ALL
        SELECT
            suite,
            row_key,
            arg_min("cluster", place * 1000000000 + repetition) AS "cluster",
            arg_min(slice, repetition) FILTER (WHERE place = 1) AS slice
        FROM telling
        WHERE NOT (is_plain AND len(told_by) = 1)
        GROUP BY suite, row_key
    ),

    changed AS (
        SELECT
            suite,
            row_key
        FROM compared_rows(baselines, candidate)
        WHERE check_content AND is_changed
    )

    SELECT
        place.suite,
        place.metric,
        place.name,
        place.higher_is_better,
        item.*,
        difference_of(item.baseline_value, item.candidate_value) AS difference,
        item.baseline_in_error OR item.candidate_in_error AS in_error,
        flip_of(
            item.baseline_in_error, item.candidate_in_error, item.baseline_value, item.candidate_value,
            item.baseline_right, item.candidate_right, place.higher_is_better
        ) AS flip,
        told."cluster",
        told.slice
    FROM compared_items('compared_metric', baselines, candidate, errors, is_plain) AS item
    INNER JOIN compared_metric AS place ON item.number = place.number
    LEFT JOIN told ON place.suite = told.suite AND item.row_key = told.row_key
    ANTI JOIN changed ON place.suite = changed.suite AND item.row_key = changed.row_key;

-- The same of plain jobs, without clusters and slices, of which no row has other content.
CREATE OR REPLACE MACRO compared_plain_pairs(baselines, candidate) AS TABLE
    -- The common tables are used by the names that are handed on.
    -- noqa: disable=ST03
    WITH compared_metric AS MATERIALIZED (
        SELECT * FROM compared_metrics(baselines, candidate)
        WHERE in_both
    )

    SELECT
        place.suite,
        place.metric,
        place.name,
        place.higher_is_better,
        item.*,
        difference_of(item.baseline_value, item.candidate_value) AS difference,
        item.baseline_in_error OR item.candidate_in_error AS in_error,
        flip_of(
            item.baseline_in_error, item.candidate_in_error, item.baseline_value, item.candidate_value,
            item.baseline_right, item.candidate_right, place.higher_is_better
        ) AS flip,
        NULL::VARCHAR AS "cluster",
        NULL::VARCHAR AS slice
    FROM compared_plain_items('compared_metric', baselines, candidate) AS item
    INNER JOIN compared_metric AS place ON item.number = place.number;
