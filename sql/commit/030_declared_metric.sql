-- The declarations that are in force for the jobs being committed; a null name speaks for all names of the metric.
CREATE OR REPLACE VIEW declared_metric AS
SELECT unnest(from_json(getvariable('declarations'), '[{
    "job_id": "VARCHAR", "metric": "VARCHAR", "name": "VARCHAR", "score_type": "VARCHAR",
    "minimum": "DOUBLE", "maximum": "DOUBLE",
    "rubric": [{"label": "VARCHAR", "value": "DOUBLE", "description": "VARCHAR"}],
    "higher_is_better": "BOOLEAN", "threshold": "DOUBLE", "class": "VARCHAR"
}]'), max_depth := 2);
