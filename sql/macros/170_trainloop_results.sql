-- What stands in JSON files of evaluations as TrainLoop's documentation describes them, without importing them: one
-- line per file, suite and metric, one for a suite without metrics. Every column is named, so that a suite that comes
-- late is not dropped and none is made up; what has no suites is skipped: summaries, benchmarks, lists.
CREATE OR REPLACE MACRO trainloop_results(files) AS TABLE
    WITH document AS (
        SELECT
            parse_filename(filename) AS file,
            json,
            coalesce(json -> '$.suites', json -> '$.partial_results.suites') AS suites
        FROM read_json_objects(
            files,
            format = 'unstructured',
            filename = TRUE,
            hive_partitioning = FALSE,
            maximum_object_size = 134217728
        )
    ),

    line AS (
        SELECT
            document.file,
            document.json,
            suite.key AS suite,
            suite.value AS told,
            suite.rowid AS suite_place,
            metric.key AS metric,
            metric.value AS measured,
            metric.rowid AS metric_place,
            concat(document.file, ': suite ', suite.key) AS of_suite,
            concat(document.file, ': suite ', suite.key, ', metric ', metric.key) AS of_metric
        -- A list has no names to be suites by.
        FROM document, json_each(CASE WHEN json_type(document.suites) = 'OBJECT' THEN document.suites END) AS suite
        LEFT JOIN LATERAL json_each(suite.value -> '$.metrics') AS metric ON TRUE
    )

    SELECT
        file,
        (json ->> '$.timestamp')::TIMESTAMPTZ AS "timestamp",
        coalesce(json ->> '$.status', 'completed') AS status,
        (json ->> '$.duration')::DOUBLE AS duration,
        stated_count(json ->> '$.total_events', 'total_events', file) AS total_events,
        try_cast(json ->> '$.summary.overall_score' AS DOUBLE) AS overall_score,
        try_cast(json ->> '$.summary.pass_rate' AS DOUBLE) AS pass_rate,
        suite,
        stated_count(told ->> '$.events_processed', 'events_processed', of_suite) AS events_processed,
        (told ->> '$.overall_score')::DOUBLE AS suite_score,
        from_json(told -> '$.tags', '["VARCHAR"]') AS tags,
        (told ->> '$.duration')::DOUBLE AS suite_duration,
        coalesce(told ->> '$.status', json ->> '$.status', 'completed') AS suite_status,
        told ->> '$.error' AS suite_error,
        metric,
        stated_count(measured ->> '$.passed', 'passed', of_metric) AS passed,
        stated_count(measured ->> '$.total', 'total', of_metric) AS total,
        stated_count(measured ->> '$.passed', 'passed', of_metric)
        / nullif(stated_count(measured ->> '$.total', 'total', of_metric), 0) AS score,
        (measured ->> '$.score')::DOUBLE AS stated_score,
        measured -> '$.details' AS details
    FROM line
    ORDER BY "timestamp" DESC, file ASC, suite_place ASC, metric_place ASC;

-- A count out of such a file. What is no whole number is refused, and never rounded to one.
CREATE OR REPLACE MACRO stated_count(stated, field, place) AS
CASE
    WHEN try_cast(stated AS DOUBLE) = trunc(try_cast(stated AS DOUBLE)) AND try_cast(stated AS DOUBLE) < 1e15
        THEN stated::BIGINT
    WHEN stated IS NOT NULL THEN error(concat(place, ': ', field, ' is a whole number, not ', stated))
END;
