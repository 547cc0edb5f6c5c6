-- What stands in JSON files of evaluations as TrainLoop's documentation describes them, without importing them: one
-- line per file, suite and metric, one for a suite without metrics. Every column is named, so that a suite that comes
-- late is not dropped and none is made up; summaries and benchmarks have no suites, and are skipped.
CREATE OR REPLACE MACRO trainloop_results(files) AS TABLE
    WITH document AS (
        SELECT
            parse_filename(read.filename) AS file,
            read.*,
            -- A list has no names to be suites by.
            CASE
                WHEN json_type(coalesce(read.suites, read.partial_results -> '$.suites')) = 'OBJECT'
                    THEN coalesce(read.suites, read.partial_results -> '$.suites')
            END AS found_suites
        FROM read_json(
            files,
            format = 'unstructured',
            filename = TRUE,
            hive_partitioning = FALSE,
            maximum_object_size = 134217728,
            columns = {
                "timestamp": 'TIMESTAMPTZ',
                duration: 'DOUBLE',
                total_events: 'BIGINT',
                status: 'VARCHAR',
                suites: 'JSON',
                summary: 'JSON',
                partial_results: 'JSON'
            }
        ) AS read
    )

    SELECT
        document.file,
        document."timestamp",
        coalesce(document.status, 'completed') AS status,
        document.duration,
        document.total_events,
        (document.summary ->> '$.overall_score')::DOUBLE AS overall_score,
        (document.summary ->> '$.pass_rate')::DOUBLE AS pass_rate,
        suite.key AS suite,
        (suite.value ->> '$.events_processed')::BIGINT AS events_processed,
        (suite.value ->> '$.overall_score')::DOUBLE AS suite_score,
        from_json(suite.value -> '$.tags', '["VARCHAR"]') AS tags,
        (suite.value ->> '$.duration')::DOUBLE AS suite_duration,
        coalesce(suite.value ->> '$.status', document.status, 'completed') AS suite_status,
        suite.value ->> '$.error' AS suite_error,
        metric.key AS metric,
        (metric.value ->> '$.passed')::BIGINT AS passed,
        (metric.value ->> '$.total')::BIGINT AS total,
        (metric.value ->> '$.passed')::BIGINT / nullif((metric.value ->> '$.total')::BIGINT, 0) AS score,
        (metric.value ->> '$.score')::DOUBLE AS stated_score,
        metric.value -> '$.details' AS details
    FROM document, json_each(document.found_suites) AS suite
    LEFT JOIN LATERAL json_each(suite.value -> '$.metrics') AS metric ON TRUE
    ORDER BY document."timestamp" DESC, document.file ASC, suite.rowid ASC, metric.rowid ASC;
