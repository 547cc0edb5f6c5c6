-- What the overall score of a job is made of: its metrics with pass/fail or a range 0..1 that scored, by suite.
CREATE OR REPLACE MACRO scaled_metrics(suites) AS
flatten(
    list_transform(
        suites,
        lambda s: list_transform(
            list_filter(s.metrics, lambda m: m.is_scaled AND m.score IS NOT NULL),
            lambda m: concat_ws('/', nullif(s.name, 'default'), m.metric, nullif(m.name, m.metric))
        )
    )
);
