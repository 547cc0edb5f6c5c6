-- What another tool has told of the suites of the jobs being committed, and counted in them without leaving the rows.
CREATE OR REPLACE TEMP TABLE told_suite AS
SELECT unnest(from_json(getvariable('told_suites'), '[{
    "job_id": "VARCHAR", "suite": "VARCHAR", "position": "BIGINT", "events_processed": "BIGINT", "tags": ["VARCHAR"],
    "duration": "DOUBLE", "status": "VARCHAR", "error": "VARCHAR",
    "metrics": [{
        "metric": "VARCHAR", "name": "VARCHAR", "passed": "BIGINT", "total": "BIGINT", "errors": "BIGINT",
        "mean": "DOUBLE"
    }]
}]'), max_depth := 2);
