-- Statistics of a sorted list of finite numbers and of a map label -> count; null where undefined or beyond a double.
CREATE OR REPLACE MACRO finite(x) AS CASE WHEN isfinite(x) THEN x END;

-- Sum of squared deviations in two passes: no cancellation, and no error when squares overflow.
CREATE OR REPLACE MACRO squared_deviations(ordered, mean) AS
list_sum(list_transform(ordered, lambda x: (x - mean) * (x - mean)));

-- Percentile p stands at position p / 100 * (n + 1) of the sorted values, clamped, linear between (numpy: weibull).
CREATE OR REPLACE MACRO value_at(ordered, place) AS
ordered[floor(place)::BIGINT]
+ (place - floor(place)) * (ordered[least(floor(place)::BIGINT + 1, len(ordered))] - ordered[floor(place)::BIGINT]);

CREATE OR REPLACE MACRO weibull_percentiles(ordered) AS
list_transform(
    [10, 20, 30, 40, 50, 60, 70, 80, 90, 100],
    lambda p: finite(value_at(ordered, greatest(1.0, least(len(ordered)::DOUBLE, p / 100 * (len(ordered) + 1)))))
);

-- How many values lie below each edge of ten equal bins between minimum and maximum; the last bin is closed.
CREATE OR REPLACE MACRO counts_below_edges(ordered) AS
list_concat(
    list_transform(
        range(0, 10),
        lambda i: len(list_filter(ordered, lambda x: x < ordered[1] + i * ((ordered[-1] - ordered[1]) / 10)))
    ),
    [len(ordered)]
);

CREATE OR REPLACE MACRO differences(counts) AS
list_transform(range(2, len(counts) + 1), lambda i: counts[i] - counts[i - 1]);

-- In the declared order with zero counts kept; labels of an undeclared metric in alphabetical order.
CREATE OR REPLACE MACRO label_distribution(rubric, counts) AS
CASE
    WHEN rubric IS NOT NULL
        THEN
            list_transform(
                rubric,
                lambda s: {
                    'label': s.label, 'value': s.value, 'description': s.description,
                    'count': coalesce(counts[s.label], 0)::BIGINT
                }
            )
    ELSE list_transform(
        list_sort(map_keys(counts)),
        lambda l: {'label': l, 'value': NULL::DOUBLE, 'description': NULL::VARCHAR, 'count': counts[l]::BIGINT}
    )
END;

-- The label counted most; of equals the first in the alphabet; null when nothing was labelled.
CREATE OR REPLACE MACRO mode_label(counts) AS
list_sort(
    list_transform(
        list_filter(map_entries(counts), lambda e: e.value = list_max(map_values(counts))),
        lambda e: e.key
    )
)[1];
