-- Whether higher is better by the declarations made with a job; those of one name go before those of the whole metric.
CREATE OR REPLACE MACRO declared_direction(declarations, metric_key, score_name) AS
coalesce(
    list_filter(declarations, lambda d: d.metric = metric_key AND d.name = score_name)[1].higher_is_better,
    list_filter(declarations, lambda d: d.metric = metric_key AND d.name IS NULL)[1].higher_is_better
);
