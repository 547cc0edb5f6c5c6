-- The rows of a committed job as the lines that log() would write for them, numbered: what a resumed job starts with.
-- What a declaration derives (status `scored`, names equal to the metric) is left out, and found again at the commit.
WITH scores AS (
    SELECT
        suite,
        row_key,
        repetition,
        list({
            'metric': metric,
            'name': name,
            'score_index': score_index,
            'value': journal_number("value"),
            'value_type': value_type,
            'label': label,
            'passed': passed,
            'status': CASE WHEN status <> 'scored' AND (status <> 'error' OR error IS NULL) THEN status END,
            'comment': comment,
            'error': error,
            'correction': correction,
            'metadata': metadata,
            'evaluator_info': evaluator_info,
            'feedback_config': feedback_config,
            'extra': extra,
            'source_run_id': source_run_id,
            'target_run_id': target_run_id
        } ORDER BY metric, name, score_index) AS scores
    FROM read_parquet($scores_file, hive_partitioning = FALSE)
    GROUP BY suite, row_key, repetition
)

SELECT
    to_json({
        'position': row_number() OVER (ORDER BY logged.suite, logged.row_index, logged.repetition) - 1,
        'suite': logged.suite,
        'row_key': logged.row_key,
        'repetition': logged.repetition,
        'row_index': logged.row_index,
        'row_hash': logged.row_hash,
        'item': logged.item,
        'sample': logged.sample,
        'reference': logged.reference,
        'requests': logged.requests,
        'metadata': logged.metadata,
        'error': logged.error,
        'error_details': logged.error_details,
        'started_at': logged.started_at::VARCHAR,
        'finished_at': logged.finished_at::VARCHAR,
        'latency': journal_number(logged.latency),
        'prompt_tokens': logged.prompt_tokens,
        'completion_tokens': logged.completion_tokens,
        'total_tokens': logged.total_tokens,
        'cost': journal_number(logged.cost),
        'tags': logged.tags,
        'cluster': logged."cluster",
        'scores': coalesce(scores.scores, [])
    })::VARCHAR AS line
FROM read_parquet($rows_file, hive_partitioning = FALSE) AS logged
LEFT JOIN scores
    ON
        logged.suite = scores.suite
        AND logged.row_key = scores.row_key
        AND logged.repetition = scores.repetition
ORDER BY logged.suite, logged.row_index, logged.repetition;
