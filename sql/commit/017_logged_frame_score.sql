-- The scores of a frame, one line each.
CREATE OR REPLACE VIEW logged_score AS
SELECT
    getvariable('job_id') AS job_id,
    position,
    getvariable('frame_metrics')["number"] AS metric,
    NULL::VARCHAR AS name,
    0 AS score_index,
    "value",
    value_type::VARCHAR AS value_type,
    label,
    NULL::BOOLEAN AS passed,
    NULL::VARCHAR AS status,
    NULL::VARCHAR AS comment,
    NULL::VARCHAR AS error,
    NULL::VARCHAR AS correction,
    NULL::VARCHAR AS metadata,
    NULL::VARCHAR AS evaluator_info,
    NULL::VARCHAR AS feedback_config,
    NULL::VARCHAR AS extra,
    NULL::VARCHAR AS source_run_id,
    NULL::VARCHAR AS target_run_id
FROM frame_score;
