-- What is declared of the metrics of a frame, in their order. A list is looked into by number where a join could bring
-- the scores out of their order.
SET VARIABLE frame_rules = (
    WITH rule AS (
        SELECT DISTINCT ON (measured."number")
            measured."number",
            declared.rubric,
            declared.threshold,
            coalesce(declared.higher_is_better, TRUE) AS higher_is_better
        FROM (
            SELECT
                unnest(getvariable('frame_metrics')) AS metric,
                generate_subscripts(getvariable('frame_metrics'), 1) AS "number"
        ) AS measured
        LEFT JOIN declared_metric AS declared
            ON
                declared.job_id = getvariable('job_id')
                AND measured.metric = declared.metric
                AND (declared.name IS NULL OR measured.metric = declared.name)
        ORDER BY measured."number", declared.name NULLS LAST
    )

    SELECT list(rule ORDER BY rule."number") FROM rule
);
